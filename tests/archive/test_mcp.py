"""`newskeep mcp` as an assistant's program starts it, asked by the official client."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from room_archive import STORY, fill
from warm_start import shared

from storage import open_archive

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp") / "archive"
    fill(folder)
    return folder


#: As assistants' programs start it.
COLD = (sys.executable, "-P", "-m", "newskeep")


def ask(folder: Path, *asked: tuple[str, dict[str, Any]], start: Sequence[str] = ()) -> list[Any]:
    """Call tools one after the other; an error is its text. It starts as `start` says, or in a warm process."""
    # It takes long to load, and who collects tests loads them all.
    from mcp import Client, StdioServerParameters

    program, *first = start or shared().command("newskeep")

    async def conversation() -> list[Any]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
        options = ["--archive", str(folder), "--public-url", "https://archive.example.org/"]
        server = StdioServerParameters(command=program, args=[*first, "mcp", *options], env=environ)
        async with Client(server) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == {"search", "get", "versions"}
            assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools)
            answers: list[Any] = []
            for tool, arguments in asked:
                answer = await client.call_tool(tool, arguments)
                answers.append(answer.content[0].text if answer.is_error else answer.structured_content)  # type: ignore[union-attr]
            return answers

    return asyncio.run(conversation())


def test_searched_got_and_compared_each_with_its_memento(folder: Path) -> None:
    asked = (("search", {"words": "bridge", "limit": 3}), ("get", {"url": STORY}), ("versions", {"url": STORY}))
    found, article, versions = ask(folder, *asked, start=COLD)
    assert 0 < len(found["articles"]) <= 3
    for each in found["articles"]:
        digits = each["timestamp"]
        assert each["memento"]["link"] == f"https://archive.example.org/web/{digits}/{each['url']}"
        assert "bridge" in (each["title"] + each["snippet"]).lower()
    with open_archive(folder) as archive:
        held = archive.article(STORY)
        assert held.warc is not None and held.timestamp is not None
        assert (article["title"], article["text"], article["next"]) == (held.title, held.text, None)
        assert (article["memento"]["warc"], article["memento"]["offset"]) == (held.warc.filename, held.warc.offset)
        assert article["memento"]["captured"] == f"{held.timestamp:%Y-%m-%dT%H:%M:%SZ}"
        assert len(versions["versions"]) == len(archive.versions(STORY)) > 1
    first, second = versions["versions"][:2]
    assert first["changes"] is None and (second["changes"]["title"] or second["changes"]["text"])
    assert first["memento"]["captured"] < second["memento"]["captured"]
    (then,) = ask(folder, ("get", {"url": STORY, "at": first["timestamp"]}))
    assert then["memento"] == first["memento"]


def test_a_long_text_is_got_in_parts(tmp_path: Path) -> None:
    from newskeep.assistant import TEXT_MAX, Assistant

    fill(tmp_path / "archive")
    with open_archive(tmp_path / "archive") as archive:
        whole = archive.article(STORY).text
        assert len(whole) < TEXT_MAX
        assert Assistant(archive).get(STORY, start=10)["text"] == whole[10:]
        assert Assistant(archive).get(STORY)["memento"]["link"] is None


def test_what_is_wrong_is_told_to_the_assistant_in_a_line(folder: Path) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("get", {"url": "https://www.paper.example/nothing"}),
        ("get", {"url": "ftp://www.paper.example/"}),
        ("get", {"url": STORY, "at": "yesterday"}),
        ("versions", {"url": "https://nowhere.example/"}),
        ("search", {"words": "bridge", "limit": 0}),
    ]
    told = ask(folder, *asked)
    assert "is not in the archive" in told[0] and "neither http:// nor https://" in told[1] and "yesterday" in told[2]
    assert "is not in the archive" in told[3] and "limit" in told[4]
    assert not any("Traceback" in each for each in told)
    assert ask(folder, ("search", {"words": "nothing-has-this-word"})) == [{"articles": []}]
