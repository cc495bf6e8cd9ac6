"""`newskeep correct` as a person uses it: what was said once holds, through changed pages, reextract, copy, reindex."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from article_page import HEAD, PARAGRAPHS
from command import Run
from origin import Origin, response

from crawler.html.blocks import cut
from crawler.html.document import body, parse
from crawler.html.encoding import decode
from storage.locking import held

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
ADVERT = "Read The Lower Post for 9 kr a month, and support what we write about the harbour and the town."
TEASER = "Brewery wants library"


_WORDS = [
    *("harbour", "islands", "rain", "spring", "ferry", "captain", "winter", "bridge", "council", "market", "school"),
    *("river", "engine", "letter", "garden", "window", "summer", "teacher", "station", "library", "lantern", "orchard"),
    *("village", "painter", "concert", "harvest", "mountain", "doctor", "railway", "museum"),
]


class Paper:
    """An origin whose pages may change."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._pages: dict[str, bytes] = {}
        origin.on_any(self._pages.get)

    def put(self, path: str, page: bytes) -> str:
        self._pages[path] = page
        return self._origin.url(path)


@pytest.fixture
def paper() -> Iterator[Paper]:
    with Origin() as origin:
        yield Paper(origin)


@pytest.fixture
def url(paper: Paper, newskeep: Run) -> str:
    """Of an article that is held."""
    url = paper.put("/library", page())
    save(newskeep, url)
    return url


def page(paragraphs: Sequence[str] = PARAGRAPHS, advert: str = ADVERT, more: str = "") -> bytes:
    """An article with an advert amid its text, and a link to another one."""
    text = "".join(f"<p>{each}</p>" for each in (*paragraphs[:2], advert, *paragraphs[2:]))
    body = f'<h1>Library moves</h1><div>{text}<div class="related-box"><a href="/x">{TEASER}</a></div></div>{more}'
    html = f"{HEAD}<body><nav><a href=/>Front</a></nav><article>{body}</article></body></html>"
    return response(html.encode(), headers=[("Content-Type", "text/html; charset=utf-8")])


def other_page() -> bytes:
    return page(["The bridge over the lower harbour is open again, said the harbour master.", *PARAGRAPHS[1:]])


def story(name: str) -> bytes:
    """An article that has nothing in common with those of other names but the advert, not even a pattern."""
    drawn = Random(name)
    return page([f"{' '.join(drawn.sample(_WORDS, 14)).capitalize()}, said {name}." for _ in range(4)])


def ran(newskeep: Run, *arguments: str, code: int = 0) -> tuple[list[str], str]:
    """What a command prints, a line each, and what it says on standard error."""
    done = newskeep(*arguments)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout.decode().splitlines(), done.stderr.decode()


def save(newskeep: Run, *urls: str) -> None:
    ran(newskeep, "save", "--allow-private", "--delay", "0", "--ignore-robots", *urls)


def text(newskeep: Run, url: str, *options: str) -> str:
    return "\n".join(ran(newskeep, "get", url, "--as", "text", *options)[0])


def number_of(newskeep: Run, url: str, words: str) -> str:
    return next(line.split()[0] for line in ran(newskeep, "explain", url)[0] if words in line)


def test_a_correction_holds_until_it_is_taken_back(newskeep: Run, url: str) -> None:
    before = text(newskeep, url)
    assert ADVERT in before and TEASER not in before
    assert ran(newskeep, "correct", url) == ([], f"nothing was corrected of {url}\n")

    advert, note = number_of(newskeep, url, "9 kr"), "an advert"
    listed, told = ran(newskeep, "correct", url, "--remove", advert, "--keep", "brewery WANTS", "--note", note)
    assert told == "1 text changed\n"
    assert [line.split()[:3] for line in listed] == [["1", "keep", "Brewery"], ["2", "remove", "Read"]]
    assert listed[1].endswith(note)
    corrected = text(newskeep, url)
    assert ADVERT not in corrected and TEASER in corrected
    shown = "\n".join(ran(newskeep, "explain", url)[0])
    assert "a reader kept it, against" in shown and "a reader removed it, against model" in shown
    assert ran(newskeep, "search", "brewery", "wants")[0]

    assert ran(newskeep, "reextract")[1].endswith("0 of 1 article changed, in 1 WARC\n")
    assert ran(newskeep, "correct", url, "--undo", "2")[1] == "1 text changed\n"
    assert ADVERT in text(newskeep, url)
    assert ran(newskeep, "correct", url, "--undo", "all") == ([], "1 text changed\n")
    assert text(newskeep, url) == before
    assert ran(newskeep, "reextract")[1].startswith("0 of 1 article changed")
    assert ran(newskeep, "verify", "--deep")[0] == []


def test_a_correction_holds_for_a_page_that_changed(newskeep: Run, paper: Paper, url: str) -> None:
    ran(newskeep, "correct", url, "--remove", "Read The Lower Post")
    advert = ADVERT.replace("9", "12").replace("town", "county")
    paper.put("/library", page(["All is new, and told from its beginning.", *PARAGRAPHS], advert, "More."))
    save(newskeep, url)
    assert "9 kr" not in text(newskeep, url) and "12 kr" not in text(newskeep, url)
    assert ran(newskeep, "correct", url, "--undo", "1")[1] == "2 texts changed\n"
    assert "12 kr" in text(newskeep, url)


def test_a_correction_of_the_whole_site_reaches_its_other_articles(newskeep: Run, paper: Paper, url: str) -> None:
    library, bridge = url, paper.put("/bridge", other_page())
    save(newskeep, bridge)
    ran(newskeep, "correct", library, "--remove", "Read The Lower Post")
    assert ADVERT in text(newskeep, bridge)
    assert ran(newskeep, "correct", library, "--remove", ADVERT, "--site")[1] == "1 text changed\n"
    assert ADVERT not in text(newskeep, bridge)
    listed, _ = ran(newskeep, "correct", bridge)
    assert len(listed) == 1 and "whole site" in listed[0]
    # Of this article somebody knows better.
    ran(newskeep, "correct", bridge, "--keep", "Read The Lower Post")
    assert ADVERT in text(newskeep, bridge)
    ran(newskeep, "correct", bridge, "--undo", "all")
    assert ADVERT not in text(newskeep, bridge)
    tower = paper.put("/tower", story("the tower"))
    save(newskeep, tower)
    assert ADVERT not in text(newskeep, tower)
    ran(newskeep, "correct", bridge, "--undo", "all", "--site")
    assert ADVERT in text(newskeep, bridge) and ADVERT not in text(newskeep, library)


def test_a_readers_word_goes_before_the_site_memory(newskeep: Run, paper: Paper) -> None:
    names = ("ada", "bo", "carl", "dora", "emil", "finn")
    urls = [paper.put(f"/{name}", story(name)) for name in names]
    save(newskeep, *urls)
    removed = json.loads("\n".join(ran(newskeep, "get", urls[0], "--as", "json")[0]))["removed"]
    assert any(each["text"] == ADVERT and each["reason"].startswith("repeated") for each in removed)
    ran(newskeep, "correct", urls[0], "--keep", "Read The Lower Post", "--site")
    assert all(ADVERT in text(newskeep, url) for url in urls)
    assert ran(newskeep, "reextract")[1].startswith("0 of 6")
    ran(newskeep, "correct", urls[5], "--undo", "1")
    assert not any(ADVERT in text(newskeep, url) for url in urls)


def test_it_is_kept_by_copy_and_reindex(newskeep: Run, url: str, tmp_path: Path) -> None:
    ran(newskeep, "correct", url, "--remove", "Read The Lower Post", "--by", "Ada")
    (tmp_path / "archive" / "index.sqlite").unlink()
    ran(newskeep, "reindex")
    ran(newskeep, "copy", "archive", "other")
    there = ("--archive", "other")
    assert ADVERT not in text(newskeep, url, *there)
    ran(newskeep, "reextract", *there)
    assert ADVERT not in text(newskeep, url, *there)
    (line,) = ran(newskeep, "corrections", "--json", *there)[0]
    assert {"url": url, "verdict": "remove", "scope": "article", "text": ADVERT, "by": "Ada"}.items() <= json.loads(
        line
    ).items()
    assert ran(newskeep, "corrections", "other.example", *there)[1] == "nothing was corrected\n"


def test_a_correction_that_came_from_elsewhere_is_shown_and_said(newskeep: Run, url: str, tmp_path: Path) -> None:
    with held(tmp_path / "archive" / "upkeep.lock", "a reindex"):
        told = ran(newskeep, "correct", url, "--remove", "Read The Lower Post", code=7)[1]
    assert told.startswith("kept, but no text was made again: ") and "newskeep reextract 127.0.0.1" in told
    assert ADVERT in text(newskeep, url)
    shown, told = ran(newskeep, "explain", url)
    assert "a reader removed it, against model" in "\n".join(shown)
    assert told == "the stored text does not have all corrections yet: newskeep reextract 127.0.0.1\n"
    assert ran(newskeep, "reextract", "127.0.0.1")[1].startswith("1 of 1 article changed")
    assert ADVERT not in text(newskeep, url)


def test_rubbish_is_told_and_stops_nothing(newskeep: Run, paper: Paper, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "archive" / "corrections" / "127.0.0.1"
    ran(newskeep, "correct", url, "--remove", "Read The Lower Post")
    rubbish = folder / "20261120080000000-00000000.json"
    rubbish.write_bytes(b'{"text": 7}')
    bridge = paper.put("/bridge", other_page())
    done = newskeep("save", "--allow-private", "--delay", "0", "--ignore-robots", bridge)
    assert done.returncode == 0
    key = f"corrections/127.0.0.1/{rubbish.name}"
    assert f"WARNING: {key}: passed over (not a correction: " in done.stderr.decode()
    listed, told = ran(newskeep, "correct", url)
    assert len(listed) == 1 and told.startswith(f"{key}: passed over")
    assert ran(newskeep, "corrections", code=7)[1].startswith(f"{key}: passed over")
    assert ran(newskeep, "verify", "--deep", code=7)[0][0].startswith(f"{key}: damaged (not a correction")


#: What is said of options that name what the page has not.
NOT_THERE = (
    (("--keep", "Nobody said this"), 'no block of the page begins with "Nobody said this"; newskeep explain '),
    (("--keep", ""), 'no block of the page begins with ""; newskeep explain '),
    (("--remove", "99"), "the page has no block 99; newskeep explain "),
    (("--remove", "the"), 'of the page begin with "the"; give more words, or the number'),
    (("--remove", "Read The", "--keep", "Read The Lower"), "is to be kept and to be removed"),
    (("--undo", "1"), "--undo 1: no correction of this page is held, see `newskeep correct URL`"),
    (("--undo", "x"), "--undo x: no correction of this page is held"),
)


def test_what_is_not_there_is_said_in_a_line(newskeep: Run, url: str, tmp_path: Path) -> None:
    for options, told in NOT_THERE:
        lines, found = ran(newskeep, "correct", url, *options, code=2)
        assert told in found and found.startswith("newskeep: ") and found.count("\n") == 1 and not lines, options
        assert not (tmp_path / "archive" / "corrections").exists(), options


def test_a_page_that_is_not_held(newskeep: Run, url: str) -> None:
    told = ran(newskeep, "correct", f"{url}/nowhere", "--keep", "1", code=6)[1]
    assert told.startswith(f"newskeep: {url}/nowhere is not in the archive")


def test_what_was_corrected_is_training_data(
    newskeep: Run, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import corrected

    def labels() -> dict[str, bool]:
        found: dict[str, bool] = {}
        for one in corrected.load(str(tmp_path / "archive")):
            cuts = cut(body(tree)) if (tree := parse(decode(one.page.html))) is not None else []
            found |= {cuts[at].text: kept for at, kept in one.verdicts(cuts).items()}
        return found

    assert labels() == {}
    ran(newskeep, "correct", url, "--remove", "Read The Lower Post", "--keep", TEASER, "--keep", "Front")
    # Nobody asks the model about a menu.
    assert labels() == {ADVERT: False, TEASER: True}
    ran(newskeep, "correct", url, "--keep", "Read The Lower Post")
    assert labels() == {ADVERT: True, TEASER: True}
    ran(newskeep, "correct", url, "--undo", "all")
    assert labels() == {}


def test_corrections_of_a_page_that_is_taken_out_go_with_it(
    newskeep: Run, paper: Paper, url: str, tmp_path: Path
) -> None:
    other = paper.put("/bridge", other_page())
    save(newskeep, other)
    for each in (url, other):
        ran(newskeep, "correct", each, "--remove", ADVERT)
    ran(newskeep, "remove", url, "--reason", "court order", "--yes")
    assert [json.loads(line)["url"] for line in ran(newskeep, "corrections", "--json")[0]] == [other]
    assert len(list((tmp_path / "archive").glob("corrections/*/*.json"))) == 2
    ran(newskeep, "remove", url, "--reason", "court order", "--purge", "--yes")
    (kept,) = (tmp_path / "archive").glob("corrections/*/*.json")
    assert json.loads(kept.read_bytes())["url"] == other
