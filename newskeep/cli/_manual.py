"""A command's manual page, from what its --help says, in the macros of man(7). Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

#: Paragraphs that are headings of their own in a manual.
_HEADED = re.compile(r"(Examples|Exit codes|First steps):\s*")


def manual(context: click.Context, version: str) -> str:
    """Return the page of the command of `context`, in section 1; it has no date, so that nothing changes by itself."""
    command, name = context.command, context.command_path.replace(" ", "-")
    paragraphs = _paragraphs(command.help)
    summary = re.split(r"[.:;](?:\s|$)", " ".join(paragraphs[0].split()))[0]
    lines = [
        f'.TH {name.upper()} 1 "" "Newskeep {version}" "Newskeep"',
        ".SH NAME",
        f"{_roff(name)} \\- {_roff(summary)}",
        ".SH SYNOPSIS",
        f".B {_roff(context.command_path)}",
        _roff(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_body(paragraphs),
        ".SH OPTIONS",
        *_records(param.get_help_record(context) for param in command.get_params(context)),
    ]
    if isinstance(command, click.Group):
        below = ((each, command.get_command(context, each)) for each in command.list_commands(context))
        lines += [".SH COMMANDS", *_records((each, found.get_short_help_str(200)) for each, found in below if found)]
    lines += _body(_paragraphs(command.epilog))
    parent = context.parent.command_path.replace(" ", "-") if context.parent else None
    lines += [".SH SEE ALSO", f".BR {_roff(parent)} (1)," if parent else "", "newskeep docs"]
    return "\n".join(line for line in lines if line) + "\n"


def _paragraphs(text: str | None) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", inspect.cleandoc(text or "")) if part.strip()]


def _body(paragraphs: list[str]) -> Iterator[str]:
    """Paragraphs; those behind click's \\b keep their lines, and some have a heading."""
    for paragraph in paragraphs:
        laid_out = paragraph.startswith("\b")
        text = paragraph.removeprefix("\b").strip("\n")
        if heading := _HEADED.match(text) or re.match(r"(Exit codes)\b", text):
            yield f".SH {heading[1].upper()}"
            text = text[heading.end() :].strip("\n")
        else:
            yield ".PP"
        yield from (
            [".nf", *map(_roff, inspect.cleandoc(text).splitlines()), ".fi"]
            if laid_out
            else [_roff(" ".join(text.split()))]
        )


def _records(records: Iterator[tuple[str, str] | None]) -> Iterator[str]:
    for record in records:
        if record is not None:
            yield from (".TP", f".B {_roff(record[0])}", _roff(record[1]) or "\\&")


def _roff(text: str) -> str:
    """Text that is nothing but text: no escapes, no requests, hyphens that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
