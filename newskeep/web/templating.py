"""HTML pages, from Jinja2 templates: everything is escaped unless a template says otherwise, and none should."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

_HERE = Path(__file__).parent
#: The reading room's templates go before ours, so it may bring an error page of its own.
TEMPLATES = (_HERE / "reading_room" / "templates", _HERE / "templates")


@cache
def environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page; the template gets `request` and what is given."""
    text = environment().get_template(template).render(request=request, **context)
    return HTMLResponse(text, status)
