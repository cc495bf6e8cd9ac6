"""extract(): whole articles of pages made here, and never an exception, whatever is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from article_page import HEAD, PAGE, PARAGRAPHS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crawler.extraction import extract
from crawler.extraction.markup import to_markdown
from crawler.extraction.page import read
from storage.model import Article, Block, Reason

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def line(article: Article) -> str:
    """The article as one line of JSON, as a file of texts holds it."""
    return json.dumps(asdict(article), ensure_ascii=False, sort_keys=True, default=str)


def test_an_article_is_read_whole_and_alone() -> None:
    article = extract(PAGE.encode(), "https://lower.example.org/news/library", now=NOW)
    for paragraph in PARAGRAPHS:
        assert paragraph in article.text
    for wrong in ("Front page", "Brewery wants", "newsletter", "All rights", "Send"):
        assert wrong not in article.text
    assert article.title == "Library moves into the station"
    assert article.authors == ("Ann Example",)
    assert article.extractor is not None
    assert (article.extractor.name, article.extractor.method) == ("newskeep", "model")
    assert (article.extractor.model or "").startswith("sha256:")


def test_every_block_is_there_in_page_order_with_a_reason() -> None:
    article = extract(PAGE, "https://lower.example.org/news/library", now=NOW)
    texts = [block.text for block in article.blocks]
    assert texts[:3] == ["Front page", "Sport", "Library moves into the station"]
    assert texts.index("Brewery wants library") == texts.index(PARAGRAPHS[1]) + 1
    assert texts[-2:] == ["Send", "© 2026 The Lower Post. All rights reserved."]
    assert all(block.reason and block.place.startswith("body") for block in article.blocks)
    reasons = {block.text: str(block.reason) for block in article.blocks}
    assert (reasons["Sport"], reasons["Send"]) == ("navigation", "control")
    assert reasons[PARAGRAPHS[0]].startswith("model p=.")


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252", "utf-16"])
def test_bytes_and_text_give_the_same(encoding: str) -> None:
    given_bytes = PAGE.replace("utf-8", encoding).encode(encoding)
    article = extract(given_bytes, content_type=f"text/html; charset={encoding}", now=NOW)
    assert article.blocks == extract(PAGE, now=NOW).blocks


def test_the_same_in_another_process() -> None:
    code = (
        "import sys, runpy; sys.path[:0] = sys.argv[2:]; t = runpy.run_path(sys.argv[1]);"
        "print(t['line'](t['extract'](t['PAGE'], 'u', now=t['NOW'])))"
    )
    here = Path(__file__)
    command = [sys.executable, "-c", code, str(here), str(here.parents[1] / "helpers"), str(here.parents[2])]
    runs = {
        subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": ""}).stdout
        for seed in ("1", "2")
    }
    assert runs == {f"{line(extract(PAGE, 'u', now=NOW))}\n".encode()}


def test_what_is_no_article_falls_back_and_says_so() -> None:
    article = extract("<html><body><p>Hello, world</p></body></html>")
    assert article.text == "Hello, world"
    assert article.extractor is not None
    assert article.extractor.method.startswith("trafilatura: the model kept")


def test_text_that_only_a_script_holds_is_found() -> None:
    body = " ".join(PARAGRAPHS)
    script = json.dumps({"@type": "NewsArticle", "headline": "Moved", "articleBody": body})
    page = (
        f'<html><head><script type="application/ld+json">{script}</script></head><body><div id=app></div></body></html>'
    )
    article = extract(page)
    assert article.text == body
    assert article.extractor is not None
    assert article.extractor.method == "script data: JSON-LD"


@pytest.mark.parametrize(
    ("sent", "method"),
    [
        (b"", "nothing: no markup"),
        (b"\x00\x01\x02", "nothing: no markup"),
        (b'{"html": "<p>no page</p>", "a": [1, 2]}', "nothing: no markup"),
        (b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj", "nothing: no markup"),
        (b"<html><frameset cols=2><frame src=a><frame src=b></frameset></html>", "nothing found"),
        (b"<p>" * 100_000, "nothing: 100,002 elements"),
    ],
)
def test_what_has_no_text_says_why(sent: bytes, method: str) -> None:
    article = extract(sent, "https://example.org/")
    assert article.text == ""
    assert article.extractor is not None
    assert article.extractor.method == method


@pytest.mark.parametrize(
    "before",
    [
        '<img src="data:image/png;base64,{}">',
        "<style>a {{ background: url(data:image/png;base64,{}) }}</style>",
        '<script type="application/json">{{"a": "{}"}}</script>',
    ],
)
def test_an_article_stands_behind_what_is_inlined(before: str) -> None:
    body = "The mayor opened the bridge on a cold morning, and many people had come to see it. " * 3
    page = f"<title>A bridge</title><body>{before.format('a+b/' * 2_100_000)}<article><p>{body}</p></article>"
    assert extract(page, "https://example.org/").text == body.strip()


HOSTILE = {
    "deep blocks": b"<div>" * 30_000 + b"words at the bottom",
    "deep inline": b"<p>" + b"<b>" * 5_000 + b"words at the bottom",
    "deep tables": b"<table><tr><td>" * 3_000 + b"words",
    "deep lists": b"<ul><li>" * 3_000 + b"words",
    "one long tag": b"<" + b"a" * 3_000_000,
    "one long attribute": b"<p class='" + b"x " * 1_500_000 + b"'>words",
    "one long word": b"<p>" + b"w" * 3_000_000,
    "open comments": b"<!--" * 200_000,
    "open cdata": b"<![CDATA[" * 200_000,
    "less than": b"<" * 500_000,
    "white space": b"<p>" + b" \n" * 1_000_000,
    "entity bomb": b'<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><p>&b;&b;' + b"&lt;" * 50_000,
    "deep json": b'<script type="application/ld+json">' + b"[" * 200_000 + b"</script><p>words",
    "NUL bytes": PAGE.replace("e", "e\0").encode(),
    "xhtml": b'<?xml version="1.0" encoding="ascii"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>words</p></body></html>',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_read(name: str) -> None:
    article = read(HOSTILE[name], "https://example.org/", None, NOW)
    assert article.extractor is not None


def test_broken_markup_a_thousand_levels_deep_keeps_its_text() -> None:
    opened = "".join(f"<div><p>{paragraph}</p>" for paragraph in PARAGRAPHS * 60)
    article = read(f"{HEAD}<body>{opened}", "", None, NOW)
    assert PARAGRAPHS[0] in article.text


def test_nul_bytes_split_no_word() -> None:
    assert PARAGRAPHS[0] in extract(HOSTILE["NUL bytes"], now=NOW).text


LIES = [
    "utf-8",
    "utf-16",
    "utf-7",
    "windows-1251",
    "shift_jis",
    "gb18030",
    "euc-kr",
    "iso-2022-jp",
    "latin1",
    "big5",
    "no",
]
TAGS = [
    "<p>",
    "</p>",
    "<div class='x'>",
    "</div>",
    "<table><tr><td>",
    "</article>",
    "<body>",
    "<!--",
    "-->",
    "<a href='%'>",
]
SCRAPS = st.one_of(
    st.sampled_from(
        [*TAGS, "&#0;", "&#xd800;", "&bad;", "<script>", "<svg><p>", "\0", "\ufeff", "<![CDATA[", "]]>", "<br/>"]
    ),
    st.text(max_size=20),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(st.tuples(st.integers(0, len(PAGE)), st.integers(0, 300), SCRAPS), max_size=12),
    actual=st.sampled_from(["utf-8", "utf-16", "windows-1252", "shift_jis"]),
    said=st.sampled_from(LIES),
)
@example(edits=[(0, 300, "")], actual="utf-8", said="utf-16")
def test_mutated_pages_never_raise(edits: list[tuple[int, int, str]], actual: str, said: str) -> None:
    page = PAGE
    for at, length, scrap in edits:
        page = page[:at] + scrap + page[at + length :]
    sent = page.encode(actual, "replace")
    article = read(sent, "https://example.org/", f"text/html; charset={said}", NOW)
    assert line(article).encode()
    assert to_markdown(article) is not None


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_never_raise(sent: bytes) -> None:
    assert read(sent, "", "text/html", NOW).extractor is not None


def test_a_bug_costs_one_page_and_is_named() -> None:
    article = extract(None, "https://example.org/")  # type: ignore[arg-type]
    assert article.url == "https://example.org/"
    assert article.extractor is not None
    assert article.extractor.method.startswith("failed: ")


def test_importing_the_crawler_loads_no_extractor() -> None:
    code = "import sys, crawler, crawler.extraction; print('trafilatura' in sys.modules or 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout == "False\n"


def test_markdown() -> None:
    kinds = ["h1", "p", "h2", "li", "li", "quote", "quote", "row", "row", "pre", "p"]
    texts = ["T*", "1. no list", "S", "a", "b_c", "q", "r", "x | y", "1 | 2", "a*b", "# no heading"]
    kept = [Block(text, kind, True, Reason("model")) for text, kind in zip(texts, kinds, strict=True)]
    article = Article("u", title="T*", blocks=(Block("menu", "li", False, Reason("navigation")), *kept))
    assert to_markdown(article) == (
        "# T\\*\n\n1\\. no list\n\n## S\n\n- a\n- b\\_c\n\n> q\n>\n> r\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n\n"
        "```\na*b\n```\n\n\\# no heading\n"
    )
    assert to_markdown(Article("u")) == ""
    assert to_markdown(Article("u", title="Only")) == "# Only\n"
