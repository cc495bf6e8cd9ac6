from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from storage.articles import parse_line, read_member, read_part, to_json, to_line, with_record, write_part
from storage.errors import Corrupt
from storage.fingerprints import Fingerprint
from storage.index import WarcEntry, articles, open_index
from storage.index.articles import TextPiece, entries_of, entry_of, read_entries, read_piece
from storage.model import Article, Block, Extractor, Reason, TextSource
from storage.rights.signal import Signal

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARTICLE = Article(
    url="https://news.example/a",
    title="En bro åbner",
    authors=("Åse Ø",),
    published="2026-11-21T10:00:00+01:00",
    language="da",
    topics=("broer", "trafik"),
    paywalled=False,
    blocks=(
        Block("Broen er åben.", "p", True, Reason("trafilatura")),
        Block("Læs også", "p", False, Reason("model", probability=0.02), place="div.article/p"),
        Block("Slut.", "p", True, Reason("trafilatura")),
    ),
    sources={"title": "json-ld"},
    extractor=Extractor("newskeep", "1", "sha256:00", "model"),
    timestamp=datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    fingerprint=Fingerprint("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", "0f" * 64),
    warc=TextSource("x.warc.gz", 7, 9, "sha1:A"),
)


def test_line_round_trip() -> None:
    assert parse_line(to_line(ARTICLE)) == ARTICLE


def test_line_has_text_and_account() -> None:
    line = to_json(ARTICLE)
    assert line["text"] == "Broen er åben.\n\nSlut."
    assert line["words"] == 4
    assert line["removed"] == [{"text": "Læs også", "reason": "model p=.02"}]
    assert [block["kept"] for block in line["blocks"]] == [True, False, True]
    assert line["timestamp"] == "20261121090000"


def test_a_reason_is_a_word_with_what_it_adds() -> None:
    repeated = Reason("repeated", "on 3 articles of news.example")
    article = replace(ARTICLE, blocks=(*ARTICLE.blocks, Block("Menu", "li", False, repeated)))
    line = to_json(article)
    assert line["blocks"][1]["reason"] == "model" and line["blocks"][1]["probability"] == 0.02
    assert line["blocks"][3] == {
        "kind": "li", "text": "Menu", "kept": False, "reason": "repeated", "detail": "on 3 articles of news.example",
    }  # fmt: skip
    assert parse_line(to_line(article)) == article
    # Before, the text was all there was.
    line["blocks"][1] = {"kind": "p", "text": "Læs også", "kept": False, "reason": "model p=.02"}
    assert str(parse_line(json.dumps(line).encode()).blocks[1].reason) == "model p=.02"


def test_part_is_a_member_a_line() -> None:
    out = BytesIO()
    placed = list(write_part(out, [ARTICLE, ARTICLE]))
    part = out.getvalue()
    assert len(gzip.decompress(part).splitlines()) == 2
    assert list(read_part(BytesIO(part))) == placed
    second = placed[1]
    assert read_member(part[second.offset : second.offset + second.length]) == ARTICLE


def test_fields_of_a_newer_version_are_left_out() -> None:
    line = to_json(ARTICLE)
    line["mood"] = "fine"
    line["blocks"][0]["weight"] = 3
    assert parse_line(json.dumps(line).encode()) == ARTICLE


@pytest.mark.parametrize("fingerprint", [None, {}, 3, {"digest": "md9:x", "sketch": "0f"}, {"digest": 1, "sketch": ""}])
def test_fingerprint_that_cannot_be_compared_is_none(fingerprint: object) -> None:
    line = {**to_json(ARTICLE), "fingerprint": fingerprint}
    assert parse_line(json.dumps(line).encode()).fingerprint is None


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{}", b'{"url": 1, "blocks": [3]}', b"\xff", b'{"url": "", "timestamp": "soon"}', b"[" * 100_000],
)
def test_what_is_no_article_line(line: bytes) -> None:
    with pytest.raises(Corrupt):
        parse_line(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": "7"},
        {"length": "9"},
        {"offset": -1},
        {"length": True},
        {"offset": None},
        {"length": 1.5},
        {"filename": 3},
    ],
)
def test_a_record_that_is_at_no_place(wrong: dict[str, object]) -> None:
    line = to_json(ARTICLE)
    line["warc"] |= wrong
    with pytest.raises(Corrupt, match=r"not an article line: .* is no "):
        parse_line(json.dumps(line).encode())


def test_part_that_ends_early() -> None:
    out = BytesIO()
    list(write_part(out, [ARTICLE]))
    with pytest.raises(Corrupt):
        list(read_part(BytesIO(out.getvalue()[:-3])))


#: Text that looks like the fields of a line, and the half of an emoji, which has no bytes.
_LIKE_FIELDS = (
    '],"warc":null,"extractor":{},"noarchive":false,"confidence":1,"blocks":[{"kept":true}],"removed":[] \\" \ud83d'
)


@pytest.mark.parametrize("text", ["Broen er åben.", _LIKE_FIELDS])
@pytest.mark.parametrize("removed", [(), (Block(_LIKE_FIELDS, "li", False, Reason("model", _LIKE_FIELDS)),)])
@pytest.mark.parametrize("noarchive", [False, True])
def test_the_record_is_named_in_a_line_without_reading_it(
    text: str, removed: tuple[Block, ...], noarchive: bool
) -> None:
    blocks = (*removed, Block(text, "p", True, Reason("trafilatura")))
    article = replace(
        ARTICLE, title=text, section=text, topics=(text,), doubts={"title": text}, blocks=blocks, warc=None
    )
    source = TextSource("x.warc.gz", 7, 9, "sha1:A", insecure='it is "warc":null')
    rights = (Signal("license", text, "Link"),) if noarchive else ()
    whole = replace(article, warc=source, noarchive=noarchive, rights=rights)
    assert with_record(to_line(article), source, noarchive, rights) == to_line(whole)


@pytest.mark.parametrize("text", ["Broen er åben.", _LIKE_FIELDS, ""])
@pytest.mark.parametrize("removed", [(), (Block(_LIKE_FIELDS, "li", False, Reason("model", _LIKE_FIELDS)),)])
def test_the_entry_of_an_article_needs_no_blocks(text: str, removed: tuple[Block, ...]) -> None:
    article = replace(ARTICLE, title=text, doubts={"title": text})
    article = replace(article, blocks=(*removed, Block(text, "p", True, Reason("trafilatura"))))
    part = BytesIO()
    for _ in write_part(part, [article, ARTICLE]):
        pass
    part.seek(0)
    read = list(entries_of(part, "text/part"))
    part.seek(0)
    expected = [entry_of(placed, "text/part") for placed in read_part(part)]
    assert read == expected
    assert [(each.text, each.authors) for each in read] == [(each.text, each.authors) for each in expected]


def test_a_line_of_another_form_has_an_entry_too() -> None:
    line = json.dumps(dict(reversed(to_json(ARTICLE).items())), indent=1).encode()
    part = BytesIO(gzip.compress(line))
    (entry,) = entries_of(part, "text/part")
    assert (entry.text, entry.words) == (ARTICLE.text, ARTICLE.words)
    with pytest.raises(Corrupt):
        next(entries_of(BytesIO(gzip.compress(line.replace(b'"words": 4', b'"words": "4"'))), "text/part"))


def test_pieces_made_ready_enter_the_index_as_the_whole_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, key = tmp_path / "part", "text/part"
    texts = ["Broen er åben.", "", "東京タワー", "Færgen til Ærø"] * 3
    articles_written = [
        replace(
            ARTICLE,
            timestamp=NOON + timedelta(seconds=number // 2),
            title=None if number % 5 == 4 else text,
            blocks=(Block(text, "p", True, Reason("trafilatura")),),
            warc=TextSource("x.warc.gz", number, 9, "sha1:A"),
        )
        for number, text in enumerate(texts)
    ]
    with part.open("wb") as out:
        places = list(write_part(out, articles_written))
    monkeypatch.setattr(articles, "PIECE_BYTES", places[4].offset + 1)
    pieces, start = [], 0
    while True:
        read = read_piece(TextPiece(part, key, start))
        pieces.append(read)
        if read.end is None:
            break
        start = read.end
    assert len(pieces) == 3
    made = [entry for piece in pieces for entry in piece.entries]
    whole = list(read_entries(part, key))
    assert made == whole
    rows = {}
    for name, entries in (("ready", made), ("text", whole)):
        with open_index(tmp_path / name) as index:
            index.add(WarcEntry("x.warc.gz", 1_000, "", (key,)), [], entries)
        with closing(sqlite3.connect(tmp_path / name)) as database:
            # What FTS5 holds lies in tables of its own.
            held = "SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'search'"
            tables = [table for (table,) in database.execute(held)]
            rows[name] = {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    assert rows["ready"] == rows["text"]
    assert len(rows["text"]["searched"]) == len(texts)
    assert "search_data" in rows["text"]
