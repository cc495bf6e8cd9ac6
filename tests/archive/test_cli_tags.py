"""`newskeep tag`, `tags`, `note` and `collection` as a person uses them, and --tag wherever something is chosen."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import Run
from filled_archive import fill, folder_archive

ONE, TWO, HOST = "https://www.paper.example/1", "https://www.paper.example/2", "www.paper.example"


@pytest.fixture
def held(tmp_path: Path) -> Path:
    for archive in folder_archive(tmp_path / "archive"):
        fill(archive)
    return tmp_path


def ran(newskeep: Run, *arguments: str, code: int = 0) -> tuple[list[str], str]:
    done = newskeep(*arguments)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout.decode().splitlines(), done.stderr.decode()


def as_json(newskeep: Run, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran(newskeep, *arguments, "--json")[0]]


@pytest.mark.usefixtures("held")
def test_a_tag_is_given_found_by_every_command_and_taken_away(newskeep: Run) -> None:
    captures = as_json(newskeep, "captures", ONE)
    _, said = ran(newskeep, "tag", ONE, "--add", "Election-2026", "--add", "to-read", "--by", "Ada")
    assert said == "1 capture of 1 address: +election-2026, +to-read\n"
    assert as_json(newskeep, "captures", "--tag", "election-2026") == captures
    ran(newskeep, "captures", TWO, "--tag", "election-2026", code=6)
    assert {hit["url"] for hit in as_json(newskeep, "search", "article", "--tag", "election-2026")} == {ONE}
    shown = as_json(newskeep, "tag", ONE)
    assert [each["tags"] for each in shown] == [["election-2026", "to-read"]] * len(captures)
    ran(newskeep, "tag", ONE, "--remove", "to-read", "--add", "read")
    counted = {each["tag"]: each["captures"] for each in as_json(newskeep, "tags")}
    assert counted == {"election-2026": len(captures), "read": len(captures)}
    assert "election-2026" in ran(newskeep, "tags")[0][0]


@pytest.mark.usefixtures("held")
def test_a_host_a_prefix_and_a_version_are_tagged(newskeep: Run) -> None:
    everything = len(as_json(newskeep, "captures", HOST))
    ran(newskeep, "tag", HOST, "--add", "paper")
    ran(newskeep, "tag", "https://www.paper.example/1*", "--add", "ones")
    ran(newskeep, "tag", ONE, "--at", "20260301060100", "--add", "first")
    counted = {each["tag"]: each["captures"] for each in as_json(newskeep, "tags")}
    assert counted["paper"] == everything and counted["first"] == 1
    assert counted["ones"] == sum(str(each["url"]).startswith(ONE) for each in as_json(newskeep, "captures", HOST))


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("tag", ONE, "--add", "two words"), 2, "did you mean two-words?"),
        (("tag", ONE, "--add", "a", "--remove", "A"), 2, "a cannot be both added and removed"),
        (("tag", "https://nobody.example/", "--add", "a"), 6, "nothing of https://nobody.example/ is in the archive"),
        (("tag", "https://www.paper.example/*", "--at", "2026", "--add", "a"), 2, "--at is about one capture"),
        (("tag", ONE, "--add", "x" * 65), 2, "64 are the most"),
        (("search", "article", "--tag", "nope"), 6, "nothing has the tag nope"),
        (("captures", "--tag", "nope"), 6, "nothing has the tag nope"),
        (("captures",), 2, "Give a URL or a host, or --tag NAME"),
        (("export", "--format", "jsonl", "--to", "-", "--tag", "nope"), 6, "nothing has the tag nope"),
        (("note", ONE, "  "), 2, "a note is empty"),
        (("note", "https://nobody.example/", "x"), 6, "nothing of https://nobody.example/ is in the archive"),
        (("note", ONE, "--remove", "20260301060100000000-00000000"), 6, "has no note"),
        (("note", ONE, "x", "--remove", "y"), 2, "leave the text and --at out"),
        (("collection", "nope"), 6, "nothing has the tag nope"),
        (("collection", "a", "--title", "x" * 201), 2, "200 are the most"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(newskeep: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    assert said in ran(newskeep, *arguments, code=code)[1]


def test_a_note_is_listed_exported_and_taken_back(newskeep: Run, held: Path) -> None:
    ran(newskeep, "note", ONE, "Quoted in “the report”.", "--by", "Ada")
    (note,) = as_json(newskeep, "note", ONE)
    assert (note["text"], note["by"]) == ("Quoted in “the report”.", "Ada")
    ran(newskeep, "tag", ONE, "--add", "x")
    lines = ran(newskeep, "export", "--format", "jsonl", "--to", "-")[0]
    said = {
        (each["url"], *each.get("tags", ()), *(note["text"] for note in each.get("notes", ())))
        for each in map(json.loads, lines)
    }
    assert (ONE, "x", "Quoted in “the report”.") in said and (TWO,) in said
    ran(newskeep, "export", "--format", "parquet", "--to", "rows")
    table = pq.read_table(held / "rows").to_pylist()
    rows = {(each["url"], *each["tags"], *(note["text"] for note in each["notes"])) for each in table}
    assert rows == said
    (moment,) = {note["moment"] for each in table for note in each["notes"]}
    assert moment.isoformat(timespec="seconds") == str(note["moment"])[:19] + "+00:00"
    ran(newskeep, "note", ONE, "--remove", str(note["id"]))
    assert as_json(newskeep, "note", ONE) == []


def test_a_collection_is_exported_as_one_wacz_that_says_what_it_is(newskeep: Run, held: Path) -> None:
    ran(newskeep, "tag", ONE, "--add", "e26")
    ran(newskeep, "note", ONE, "Look here.")
    ran(newskeep, "collection", "e26", "--title", "Election 2026", "--description", "All of it.")
    assert ran(newskeep, "collection", "e26")[0][1] == "All of it."
    ran(newskeep, "export", "--format", "wacz", "--to", "out", "--tag", "e26")
    (file,) = (held / "out").glob("*.wacz")
    with zipfile.ZipFile(file) as package:
        described = json.loads(package.read("datapackage.json"))
        head, *pages = map(json.loads, package.read("pages/pages.jsonl").splitlines())
        index = gzip.decompress(package.read("indexes/index.cdx.gz")).decode()
    assert (described["title"], described["description"]) == ("Election 2026", "All of it.")
    assert head["title"] == "Election 2026" and head["description"] == "All of it."
    assert pages and {page["url"] for page in pages} == {ONE}
    assert all(page["tags"] == ["e26"] and page["notes"][0]["text"] == "Look here." for page in pages)
    assert index and all(json.loads(line.split(" ", 2)[2])["url"] == ONE for line in index.splitlines())
    ran(newskeep, "export", "--format", "markdown", "--to", "notes", "--tag", "e26")
    (first, *_) = sorted((held / "notes").rglob("*.md"))
    assert 'tags: ["e26"]' in first.read_text("utf-8")
    assert "holds another export" in ran(newskeep, "export", "--format", "wacz", "--to", "out", code=2)[1]


@pytest.mark.usefixtures("held")
def test_a_cdxj_of_a_tag_has_its_captures_alone(newskeep: Run) -> None:
    ran(newskeep, "tag", TWO, "--add", "two")
    lines = ran(newskeep, "export", "--format", "cdxj", "--to", "-", "--tag", "two")[0]
    assert len(lines) == len(as_json(newskeep, "captures", TWO)) and all(TWO in line for line in lines)
