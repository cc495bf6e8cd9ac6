"""A correction that an article gets on a later day is shown by `newskeep changes`, however many articles have one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from command import Run
from made_site import Prose
from origin import Origin

from storage import open_archive

pytestmark = pytest.mark.long

HTML = [("Content-Type", "text/html; charset=utf-8")]
STORIES = 12
FOOT = (
    "Sign up for our newsletter and get the day's five stories at seven in the morning.",
    "© 2026 Harbour Post. All rights reserved.",
)
NOTICES = {
    "en": "Correction: an earlier version of this article named the wrong town. The error has been corrected.",
    "de": "Korrektur: In einer früheren Fassung dieses Artikels war eine Zahl falsch. Wir haben sie berichtigt.",
    "ja": "訂正：この記事の以前の版には誤った名前が記載されていました。お詫びして訂正します。",
}


@pytest.fixture
def paper() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def page(number: int, language: str, notice: str = "", *, first: bool = False) -> bytes:
    """A story with the site's foot below it in the same markup, and maybe with a notice before or after its text."""
    prose = Prose(language, "corrections", number)
    title = prose.sentence().rstrip(".。")[:60]
    story = [prose.paragraph() for _ in range(6)]
    lines = [notice, *story] if first else [*story, notice]
    text = "".join(f"<p>{escape(line, quote=False)}</p>" for line in (*lines, *FOOT) if line)
    return (
        f"<!doctype html><html lang={language}><head><meta charset=utf-8><title>{escape(title)}</title></head><body>"
        f"<nav><a href=/>Home</a></nav><article><h1>{escape(title)}</h1>{text}</article></body></html>"
    ).encode()


def save(newskeep: Run, paper: Origin) -> None:
    done = newskeep("save", "--allow-private", "--ignore-robots", "--timeout", "120", *map(paper.url, paths()))
    assert done.returncode == 0, done.stderr.decode()


def paths() -> list[str]:
    return [f"/story/{number}" for number in range(STORIES)]


def changes(newskeep: Run, url: str) -> list[dict[str, object]]:
    done = newskeep("changes", url, "--json")
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("language", "before", "first"),
    [
        ("de", 4, True),
        pytest.param("en", 0, False, marks=pytest.mark.exhaustive),
        pytest.param("en", 8, False, marks=pytest.mark.exhaustive),
        pytest.param("en", 8, True, marks=pytest.mark.exhaustive),
        pytest.param("ja", 6, False, marks=pytest.mark.exhaustive),
    ],
)
def test_a_correction_is_a_change(
    newskeep: Run, paper: Origin, tmp_path: Path, language: str, before: int, first: bool
) -> None:
    """`before`: so many articles have the same words already; then the last one gets them too."""
    notice = NOTICES[language]
    for number, path in enumerate(paths()):
        told = notice if number < before else ""
        paper.reply(path, page(number, language, told, first=first), headers=HTML)
    corrected = paper.url(paths()[-1])
    paper.reply(paths()[-1], page(STORIES - 1, language, notice, first=first), headers=HTML)
    save(newskeep, paper)
    save(newskeep, paper)

    def all_is_well() -> None:
        _, second = changes(newskeep, corrected)
        (added,) = second["changes"]["text"]  # type: ignore[index]
        assert added["pieces"] == [{"after": notice}]
        with open_archive(str(tmp_path / "archive")) as archive:
            texts = [archive.article(paper.url(path)).text for path in paths()]
        for number, text in enumerate(texts):
            assert (notice in text) == (number < before or number == STORIES - 1)
            assert not any(line in text for line in FOOT)

    all_is_well()
    assert f"{{+{notice}+}}" in newskeep("changes", corrected).stdout.decode()
    # Made again from the archive, with all that is known by then.
    assert newskeep("reextract").returncode == 0
    all_is_well()
