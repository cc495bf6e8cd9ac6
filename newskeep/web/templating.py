"""HTML pages, from Jinja2 templates: everything is escaped unless a template says otherwise, and none should.

Their words are in the language of the request; so are the catalogs' own, which may have elements in them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from newskeep.web import language
from newskeep.web.addresses import sent_target
from newskeep.web.language import cldr
from newskeep.web.language.choice import VARY

_HERE = Path(__file__).parent
#: The reading room's templates go before ours, so it may bring an error page of its own.
TEMPLATES = (_HERE / "reading_room" / "templates", _HERE / "templates")


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    # Added by the extension.
    made.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


def _here(request: Request) -> str:
    """The page that is asked for, to come back to; the front page where it was made by a button."""
    return sent_target(request) if request.method in ("GET", "HEAD") else "/"


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page; the template gets `request`, the languages, `here` and what is given."""
    spoken = language.current()
    given = {"request": request, "here": _here(request), "spoken": spoken, "languages": language.LANGUAGES}
    # How a script puts a day and a time together that it writes anew.
    given["together"] = cldr.together
    text = environment().get_template(template).render(given | context)
    return HTMLResponse(text, status, {"Content-Language": spoken.tag, "Vary": VARY})
