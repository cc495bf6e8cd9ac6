"""Numbers on the command line: of every command, none is taken that a database or a clock would choke on."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from crawler.durations import parse_duration
from newskeep.cli import newskeep
from newskeep.cli._numbers import HIGHEST, MOST, Real, Whole


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


def test_every_number_of_every_command_has_a_bound() -> None:
    unbounded = [
        f"{name} {each.name}"
        for name, command in commands(newskeep)
        for each in command.params
        if isinstance(each.type, click.types.IntParamType | click.types.FloatParamType)
        and not isinstance(each.type, Whole | Real)
        and getattr(each.type, "max", None) is None
        and not getattr(each, "count", False)
    ]
    assert unbounded == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Whole(), ("1", str(MOST)), ("0", "-1", str(MOST + 1), "9" * 40, "1.5", "nan")),
        (Whole(most=HIGHEST), (str(HIGHEST),), (str(HIGHEST + 1),)),
        (Real(0), ("0", "0.5", "1e3"), ("nan", "inf", "-inf", "1e400", "1e12", "-1")),
    ],
)
def test_what_is_taken(kind: click.ParamType[object], good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    command = click.Command("try", params=[click.Option(["--number"], type=kind)], callback=lambda number: None)
    for text in good:
        assert CliRunner().invoke(command, ["--number", text]).exit_code == 0
    for text in bad:
        refused = CliRunner().invoke(command, ["--number", text])
        assert refused.exit_code == 2 and refused.output.splitlines()[-1].startswith("Error: "), text


def test_a_time_is_within_a_century() -> None:
    assert parse_duration("5000w") == 5_000 * 604_800
    for text in ("36526d", "9" * 400 + "d", float("inf"), float("nan"), -1):
        with pytest.raises(ValueError, match="a time such as"):
            parse_duration(text)
