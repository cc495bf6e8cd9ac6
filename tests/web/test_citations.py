"""Citations: every style, from pages that say everything, nothing, or what would break out of the format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from room_archive import PAPER, STORY, fill, payloads, plain
from web_archive import Serving, Site

from newskeep.web.reading_room.citations import Cited, cited, in_all_styles
from storage.model import Capture
from storage.urls import timestamp14

URL = f"{PAPER}/2026/harbour-bridge"
MEMENTO = f"http://archive.example/web/20261117100000/{URL}"
CAPTURE = Capture(URL, datetime(2026, 11, 17, 10, tzinfo=UTC), 200, "text/html", "sha1:ABC", "a.warc.gz", 0, 1)
ARTICLE = replace(
    plain(URL, "Council approves the harbour bridge", "en", "Text."),
    authors=("Mette Kjær", "Jonas Ravn"),
    published="2026-11-02T21:40:00+01:00",
)
_TITLE = re.compile(r"^  title = \{\{(.*)\}\},$", re.MULTILINE)


def styles(what: Cited) -> dict[str, str]:
    return dict(in_all_styles(what))


def test_every_style_names_memento_time_and_digest() -> None:
    found = styles(cited(CAPTURE, MEMENTO, ARTICLE))
    assert found == {
        "text": f"Mette Kjær, Jonas Ravn: Council approves the harbour bridge. paper.example, 2026-11-02. {URL}. "
        f"Archived 2026-11-17 10:00:00 UTC: {MEMENTO} (sha1:ABC)",
        "Chicago": "Mette Kjær and Jonas Ravn, “Council approves the harbour bridge,” paper.example, November 2, 2026, "
        f"{URL}, archived November 17, 2026, 10:00:00 UTC, at {MEMENTO} (sha1:ABC).",
        "Wikipedia": f"{{{{cite web |url={URL} |title=Council approves the harbour bridge |author1=Mette Kjær "
        "|author2=Jonas Ravn |website=paper.example |date=2026-11-02 |language=en "
        f"|archive-url={MEMENTO} |archive-date=2026-11-17}}}}<!-- 2026-11-17T10:00:00Z, sha1:ABC -->",
        "BibTeX": "@misc{paperexample20261117100000,\n"
        "  title = {{Council approves the harbour bridge}},\n"
        "  author = {Mette Kjær and Jonas Ravn},\n"
        "  organization = {paper.example},\n"
        "  date = {2026-11-02},\n"
        "  year = {2026},\n"
        f"  url = {{{URL}}},\n"
        "  urldate = {2026-11-17},\n"
        f"  note = {{Archived 2026-11-17 10:00:00 UTC at \\url{{{MEMENTO}}}, sha1:ABC}}\n"
        "}",
        "RIS": "TY  - ELEC\nTI  - Council approves the harbour bridge\nAU  - Mette Kjær\nAU  - Jonas Ravn\n"
        "T2  - paper.example\nPY  - 2026\nDA  - 2026/11/02/\nLA  - en\n"
        f"UR  - {URL}\nL2  - {MEMENTO}\nY2  - 2026/11/17/10:00:00 UTC\n"
        "N1  - Archived 2026-11-17T10:00:00Z (sha1:ABC)\nER  - ",
    }


def test_what_is_not_known_is_left_out() -> None:
    found = styles(cited(replace(CAPTURE, digest=None), MEMENTO, None))
    assert found["text"] == f"{URL}. paper.example. {URL}. Archived 2026-11-17 10:00:00 UTC: {MEMENTO}"
    assert found["Chicago"].startswith(f"“{URL},” paper.example, {URL}, archived")
    assert not re.search(r"\|\w+= ?(?:\||\}\})|None", found["Wikipedia"])
    assert "author" not in found["BibTeX"] and "= {}" not in found["BibTeX"] and "None" not in "".join(found.values())
    odd = styles(cited(CAPTURE, MEMENTO, replace(ARTICLE, published="soon", authors=("", " \n"), title="Who?")))
    assert odd["Chicago"].startswith("“Who?” paper.example,") and odd["text"].startswith("Who? paper.example.")


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("50 % of A_B & C #1 cost $3", r"50 \% of A\_B \& C \#1 cost \$3"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\textbraceleft{}/etc/passwd\textbraceright{}"),
        ("} unbalanced {{{", r"\textbraceright{} unbalanced " + r"\textbraceleft{}" * 3),
        ("~^<>|\"", r"\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}\textbar{}\textquotedbl{}"),
        ("Rødgrød, 港の橋 – ok", "Rødgrød, 港の橋 – ok"),
        ("two\nlines\x0b\u2028here", "two lines here"),
        ("\u202edetrevni\u202c", "detrevni"),
    ],
)  # fmt: skip
def test_bibtex_has_no_special_of_latex(title: str, told: str) -> None:
    entry = styles(cited(CAPTURE, MEMENTO, replace(ARTICLE, title=title)))["BibTeX"]
    match = _TITLE.search(entry)
    assert match and match[1] == told


def test_names_are_not_cut_by_bibtex() -> None:
    people = replace(ARTICLE, authors=("Smith, Ada", "Press And Sons", "Sandy Anders"))
    entry = styles(cited(CAPTURE, MEMENTO, people))["BibTeX"]
    assert "  author = {{Smith, Ada} and {Press And Sons} and Sandy Anders},\n" in entry


@pytest.mark.parametrize(
    "text", [*payloads("http://127.0.0.1:1"), "{{!}}|x=[[a]]~~~~''b''__NOTOC__<nowiki>&lt;-->", "\\}"]
)
def test_nothing_breaks_out_of_a_format(text: str) -> None:
    article = replace(ARTICLE, title=text, authors=(text,), language=text, published=text)
    capture = replace(CAPTURE, url=f"{PAPER}/a|b}}}}~~~~[x]\\'\"<>\u202e?q={{%20}}", digest=f"sha1:{text}")
    found = styles(cited(capture, f"http://[::1]:8080/web/2026/{capture.url}", article))
    assert all("\n" not in found[name] for name in ("text", "Chicago", "Wikipedia"))
    inner, template, comment = re.split(r"^\{\{|\}\}<!--", found["Wikipedia"])[0:3]
    assert inner == "" and comment.endswith(" -->") and comment.count("--") == 1
    assert not re.search(r"[\[\]{}<>]|''|~~~|__", template.replace("http://[::1]", ""))
    assert re.findall(r"\|([\w-]+)=", template) == [
        "url",
        "title",
        "author",
        "website",
        "language",
        "archive-url",
        "archive-date",
    ]
    depth = 0
    for char in found["BibTeX"]:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert (
        depth == 0 and len(re.findall(r"^  \w+ = \{", found["BibTeX"], re.MULTILINE)) == found["BibTeX"].count("\n") - 1
    )
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in found["RIS"].split("\n"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cited") / "archive"
    fill(folder)
    with Serving(folder) as running:
        yield running


def test_pages_of_a_capture_cite_it(site: Site) -> None:
    address = site.get(f"/article/{STORY}").headers["Location"]
    stamp = address.split("/")[2]
    memento = f"{site.originals}/web/{stamp}/{STORY}"
    assert site.get(memento).status == 200
    for path in (address, address.replace("/article/", "/beside/"), address.replace("/article/", "/exchange/")):
        text = unescape(site.get(path).body.decode())
        entry = re.search(r"<pre[^>]*>(@misc.*?)</pre>", text, re.DOTALL)
        assert entry and memento in entry[1] and "Harbour bridge: what we know" in entry[1], path
        assert f"{timestamp14(datetime.strptime(stamp, '%Y%m%d%H%M%S').replace(tzinfo=UTC))}," in entry[1]
    # A capture without a text is cited by its address.
    assert f"title = {{{{{PAPER}/report.pdf}}}}" in unescape(site.get(f"/exchange/{PAPER}/report.pdf").body.decode())
    assert "#cite" in site.get(f"/captures/{STORY}").body.decode()
