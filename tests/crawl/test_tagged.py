"""Tags that a run gives: `save --tag`, `crawl --tag`, `tags` of a site; in its report, and found once it has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Run
from next_second import next_second
from origin import Origin
from small_paper import Paper

from storage import open_archive

pytestmark = pytest.mark.long


@pytest.fixture
def paper() -> Iterator[Paper]:
    with Origin() as origin:
        yield Paper(origin, stories=4)


def save(newskeep: Run, *arguments: str, code: int = 0) -> list[dict[str, object]]:
    done = newskeep("save", "--allow-private", "--delay", "0", "--json", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def tagged(folder: Path, tag: str) -> tuple[set[str], set[str]]:
    """The paths of the captures and of the articles that have a tag."""
    with open_archive(folder / "archive") as archive:
        index = archive.index
        found = [capture.url for capture in index.all_captures(tag=tag)], [a.url for a in index.articles(tag=tag)]
    captures, articles = ({"/" + url.split("/", 3)[3] for url in urls} for urls in found)
    return captures, articles


def reports(folder: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "archive/crawls").rglob("*.json"))]


def test_what_save_archives_has_its_tags_and_nothing_else_has(newskeep: Run, tmp_path: Path, paper: Paper) -> None:
    paper.put("/old", b"", status="302 Found", Location=paper.path(1))
    paper.put("/gone", b"gone", status="404 Not Found")
    save(newskeep, paper.url(3), paper.url(2))
    urls = [paper.origin.url("/old"), paper.url(2), paper.origin.url("/gone")]
    told = save(newskeep, *urls, "--tag", "Reading", "--tag", "e26", code=4)
    assert {(each["outcome"], tuple(each["tags"])) for each in told} == {  # type: ignore[arg-type]
        ("archived", ("reading", "e26")),
        ("unchanged", ("reading", "e26")),
        ("failed", ()),
    }
    # The redirect and where it leads; and the article that was held before with the same content.
    assert tagged(tmp_path, "e26") == ({"/old", paper.path(1), paper.path(2)}, {paper.path(1), paper.path(2)})
    assert sorted(map(str, (each["tags"] for each in reports(tmp_path)))) == ["['e26', 'reading']", "[]"]


def test_what_a_list_finds_held_has_its_tags(newskeep: Run, tmp_path: Path, paper: Paper) -> None:
    save(newskeep, paper.url(1))
    (told,) = save(newskeep, paper.url(1), "--newer-than", "1d", "--tag", "x")
    assert told["outcome"] == "held" and tagged(tmp_path, "x")[1] == {paper.path(1)}


def test_a_site_has_tags_of_its_own_and_those_of_the_command(newskeep: Run, tmp_path: Path, paper: Paper) -> None:
    table = f'[sites.town]\nstart = "{paper.origin.url()}"\ndelay = 0\ntags = ["Dailies"]\n'
    (tmp_path / "newskeep.toml").write_text(f"allow_private = true\nworkers = 1\n{table}")
    done = newskeep("crawl", "town", "--tag", "e26")
    assert done.returncode == 0, done.stderr
    articles = {paper.path(number) for number in range(1, 5)}
    assert tagged(tmp_path, "dailies")[1] == tagged(tmp_path, "e26")[1] == articles
    assert newskeep("reindex", "--fresh").returncode == 0
    assert tagged(tmp_path, "dailies")[1] == articles
    # What a person takes away stays away until a crawl gives it again.
    next_second()
    assert newskeep("tag", paper.url(1), "--remove", "e26").returncode == 0
    assert tagged(tmp_path, "e26")[1] == articles - {paper.path(1)}


@pytest.mark.parametrize(
    ("value", "said"),
    [('"two words"', "did you mean two-words?"), ("[1]", "a text or a list of texts"), ('["-"]', "is no tag")],
)
def test_a_bad_tag_of_a_site_is_named_with_its_table(newskeep: Run, tmp_path: Path, value: str, said: str) -> None:
    (tmp_path / "newskeep.toml").write_text(f'[sites.town]\nstart = "http://town.example/"\ntags = {value}\n')
    done = newskeep("crawl", "town")
    assert done.returncode == 2 and b"[sites.town] tags must be" in done.stderr and said.encode() in done.stderr


def test_a_bad_tag_is_told_before_anything_is_asked(newskeep: Run, paper: Paper) -> None:
    done = newskeep("save", "--allow-private", paper.url(1), "--tag", "a b")
    assert done.returncode == 2 and b"did you mean a-b?" in done.stderr and not paper.origin.log


def test_a_run_that_was_killed_has_its_tags_when_the_next_has_ended(
    newskeep: Run, tmp_path: Path, paper: Paper
) -> None:
    save(newskeep, paper.url(1), "--tag", "x")
    # As a kill leaves it: the outcomes in the spool, the report neither there nor in the store.
    (report,) = (tmp_path / "archive/crawls").rglob("*.json")
    outcomes = json.loads(report.read_text())["outcomes"]
    folder = tmp_path / "archive/spool" / report.stem
    folder.mkdir(parents=True)
    (folder / "outcomes.jsonl").write_text("".join(json.dumps(each) + "\n" for each in outcomes) + '{"url": "ht')
    report.unlink()
    for path in (tmp_path / "archive/annotations").rglob("*.json"):
        path.unlink()
    for path in (tmp_path / "archive").glob("index.sqlite*"):
        path.unlink()
    assert newskeep("reindex").returncode == 0 and tagged(tmp_path, "x") == (set(), set())
    save(newskeep, paper.url(2))
    assert tagged(tmp_path, "x")[1] == {paper.path(1)}
