"""`newskeep docs`: the documents that came with the program."""

from __future__ import annotations

import difflib
import io
import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_EXAMPLES = """\b
Examples:
  newskeep docs
  newskeep docs configuration
  newskeep docs formats | grep -n confidence
  newskeep docs schedule --path
"""


class _Page(click.ParamType[Path]):
    name = "page"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        from newskeep.handbook import name_of, pages

        known = pages()
        name = name_of(str(value))
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, 1)
        meant = f"did you mean {near[0]}?" if near else "they are listed by newskeep docs"
        if ctx is not None and ctx.parent is not None and isinstance(ctx.parent.command, click.Group):
            commands = ctx.parent.command.list_commands(ctx.parent)
            meant = f"newskeep {name} --help describes the command" if name in commands else meant
        raise click.BadParameter(f"there is no page {str(value)!r}; {meant}", ctx, param)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        from newskeep.handbook import pages

        return [CompletionItem(name) for name in pages() if name.startswith(incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("page", type=_Page(), required=False)
@click.option("--path", is_flag=True, help="Print where the page's file is, or the folder of all.")
def docs(page: Path | None, path: bool) -> None:
    """Read the documents of this version, without a network. Without PAGE: list them.

    In a terminal a page is laid out and shown in the pager; into a pipe or file it goes as Markdown.
    """
    from newskeep.handbook import FOLDER, read

    if path:
        click.echo(page or FOLDER)
    elif page is None:
        _list()
    elif sys.stdout.isatty():
        click.echo_via_pager(_laid_out(read(page)), color=True)
    else:
        click.echo(read(page), nl=False)


def _list() -> None:
    from newskeep.handbook import pages, title_of

    # Decisions are listed on a page of their own.
    shown = {name: title_of(file) for name, file in pages().items() if "/" not in name}
    width = max(map(len, shown))
    for name, title in shown.items():
        click.echo(f"{name:<{width}}  {title}")


def _laid_out(markdown: str) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    width = min(Console().width, 110)
    out = Console(file=io.StringIO(), force_terminal=True, width=width)
    # Links lead from page to page; their addresses say nothing on a terminal.
    out.print(Markdown(markdown, hyperlinks=True))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()
