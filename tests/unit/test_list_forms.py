"""Lists as programs export them: which form it is, and which addresses stand in it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from crawler.list_forms import Entry, Form, entries
from crawler.url_list import read_urls
from storage.errors import UsageError
from storage.urls import normalize

A, B = "https://a.example/1?x=1,2", "http://b.example/å"


def given(data: str | bytes, name: str = "", form: Form | None = None) -> list[str]:
    raw = data if isinstance(data, bytes) else data.encode()
    found = list(entries(io.BufferedReader(io.BytesIO(raw)), name, form))
    assert all(entry.error is None for entry in found), found
    return [entry.given for entry in found]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("list.txt", f"# mine\n\n{A}\r\n  {B}  # said so\r"),
        ("", f"{A}\n{B}"),
        ("list.csv", f'title,url\n"One, two","{A}"\n"Lines\nin it",{B}\n'),
        ("list.csv", f"Title;Link\nOne;{A}\nTwo;{B}\nNone;\n"),
        ("list.tsv", f"id\tURL\tpublished\n1\t{A}\t2026\n2\t{B}\t2026\n"),
        ("", f'URL,title\n"{A}",One\n{B},Two\n'),
        # No header, no name that is known, a postal address: the column that has addresses.
        ("list.csv", f'One,"{A}"\nTwo,{B}\n'),
        ("list.csv", f'address,seen at\n"1 Street, Town","{A}"\nNowhere,{B}\n'),
        ("list.csv", f'"{A}"\n{B}\n'),
        ("list.jsonl", f'{{"url": "{A}", "title": "x"}}\n\n{{"title": "y", "Link": "{B}"}}\n'),
        ("", f'{{"url": "{A}"}}\n{{"url": "{B}"}}'),
        ("list.json", f'[\n {{"url": "{A}"}},\n {{"link": "{B}"}}\n]\n'),
        ("", f'["{A}", "{B}"]'),
        ("", f'{{"urls": ["{A}", "{B}"]}}'),
        ("list.json", f'{{\n "made": "2026",\n "urls": [\n  "{A}",\n  {{"link": "{B}"}}\n ]\n}}\n'),
        (
            "feed.json",
            f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{{"url": "{A}"}}, {{"url": "{B}"}}]}}',
        ),
        ("list.ndjson", f'"{A}"\n"{B}"\n'),
        # What Chrome and Firefox keep bookmarks in.
        (
            "Bookmarks",
            (
                f'{{\n "checksum": "0",\n "roots": {{\n  "bookmark_bar": {{"type": "folder", "children": ['
                f'{{"type": "url", "name": "1", "url": "{A}"}}, {{"type": "folder", "name": "Empty", "children": []}},'
                f'{{"type": "folder", "children": [{{"type": "url", "url": "{B}"}}]}}]}},\n'
                '  "other": {"type": "folder", "children": []}\n },\n "version": 1\n}\n'
            ),
        ),
        (
            "bookmarks.json",
            (
                f'{{"type":"text/x-moz-place-container","children":[{{"type":"text/x-moz-place","uri":"{A}"}},'
                f'{{"type":"text/x-moz-place-separator"}},{{"type":"text/x-moz-place-container","title":"Empty"}},'
                f'{{"type":"text/x-moz-place-container","children":[{{"type":"text/x-moz-place","uri":"{B}"}}]}}]}}'
            ),
        ),
        (
            "marks.html",
            f'<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><DT><A HREF="{A}" ADD_DATE="1">A</A>\n<a href=\'{B}\'>B</a>',
        ),
        (
            "",
            f'<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DT><A HREF="javascript:x()">x</A><A HREF="{A}"></A><A HREF="{B}">',
        ),
    ],
)
def test_addresses_of_a_list(name: str, data: str) -> None:
    assert given(data, name) == [A, B]


def test_what_excel_calls_unicode_text() -> None:
    assert given(f"title\turl\nØ\t{A}\nÅ\t{B}\n".encode("utf-16"), "export.csv") == [A, B]
    assert given(f"{A}\r\n{B}\r\n".encode("utf-16"), "list.txt") == [A, B]


def test_bytes_that_are_no_text_cost_one_entry() -> None:
    assert given(f"{A}\n".encode() + b"\xff\xfe\xfd\n" + B.encode())[::2] == [A, B]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("See https://a.example/x, (https://a.example/y) and <https://a.example/z>.", ["x", "y", "z"]),
        ("[a](https://a.example/x_(y))[b](https://a.example/z)!", ["x_(y)", "z"]),
        ('<a href="https://a.example/x?a=1&amp;b=2">it</a>', ["x?a=1&b=2"]),
        ('{"u":"https:\\/\\/a.example\\/x"}', ["x"]),
        ("url('https://a.example/x.png') 'https://a.example/y'", ["x.png", "y"]),
        ("https://a.example/x,https://a.example/y;https://a.example/z", ["x", "y", "z"]),
        ("https://a.example/web/2020/https://a.example/x", ["web/2020/https://a.example/x"]),
        ("見よ「https://a.example/道」。HTTPS://a.example/X", ["道", "X"]),
        ("https:// and http:/x and ftp://a.example/x and www.a.example", []),
        ("https://a.example/it's *https://a.example/b* _https://a.example/c_", ["it's", "b", "c"]),
        ("> https://a.example/x#part|https://a.example/y", ["x#part", "y"]),
    ],
)
def test_addresses_in_any_text(text: str, urls: list[str]) -> None:
    found = [url.replace("HTTPS:", "https:") for url in given(text, "mail.html", "text")]
    assert found == [f"https://a.example/{url}" for url in urls]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("list.csv", "title,author\nOne,Two\n", "no column with addresses"),
        ("list.csv", 'a,url\n"' + "x" * 200_000 + '",y\n', "is no CSV"),
        ("list.json", "[1, 2", "no JSON"),
    ],
)
def test_a_list_that_makes_no_sense(name: str, data: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        given(data, name)


def test_a_line_of_json_without_an_address_is_told(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    file.write_text('{"title": "x"}\nnot json\n{"url": "https://u:pw@a.example/"}\n5\n{"url": "https://a.example/"}\n')
    found = [(listed.given, listed.error) for listed in read_urls(file=str(file))]
    assert found == [
        ('{"title": "x"}', "has no field url"),
        ("not json", "is no JSON"),
        ("…@a.example/", "has a user name or password in it; Newskeep keeps no credentials"),
        ("5", "has no field url"),
        ("https://a.example/", None),
    ]


def test_a_long_list_is_read_as_a_stream() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
            line = b"https://a.example/\n"
            view[: len(line)] = line
            return len(line)

    stream = entries(io.BufferedReader(Endless()))
    assert [next(stream) for _ in range(3)] == [Entry("https://a.example/")] * 3


@pytest.mark.parametrize(
    "line",
    [
        *(f"{A},", f"{A} ;", f'"{A}"', f"'{A}',", f"<{A}>", f"“{A}”", f"„{A}“,", f"«{A}»", f"`{A}`"),
        *(f"- {A}", f"* {A}", f"• <{A}>", f"12. {A}", f"3) {A}"),
        *(f"\u200b{A}\u200b", f"\u200e{A} \ufeff", f"\u00a0{A}\u00a0"),
        *(f"1\t{A}\tTitle", f"{A}\tOne, two", f'"{A}"\t"Title"'),
        *(f'{A},"One, two",2026', f'"{A}","One"', f'"{A}";One'),
        *(f"{A} 2026-11-01 Mayor opens bridge", f"{A} - Who won? 50% of all", f"{A}, Title, 01/02/2026", f"{A} | One"),
    ],
)
def test_a_line_as_it_is_pasted(line: str) -> None:
    assert given(f"{line}\n{B}\n") == [A, B]


def test_a_line_keeps_what_may_be_meant() -> None:
    lines = ["https://a.example/a b.pdf", "https://a.example/it's", "https://a.example/x_(y)", "www.a.example/x"]
    assert given("\n".join(lines)) == lines
    lines = ["https://a.example/a b/c d", "https://a.example/?q=two words&page=1"]
    assert given("\n".join(lines)) == lines
    assert given(f"{A} {B}\n{B},  {A}") == [A, B, B, A]
    assert given("https://a.example/web/2020/https://a.example/x") == ["https://a.example/web/2020/https://a.example/x"]


def test_what_is_no_utf_8_is_read_as_windows_wrote_it() -> None:
    assert given("http://b.example/rødgrød\r\n".encode("cp1252") + B.encode()) == ["http://b.example/rødgrød", B]
    assert given(f"Título;Link\r\nÆrø;{B}\r\n".encode("cp1252"), "list.csv") == [B]


def test_ends_of_lines_of_an_old_mac() -> None:
    assert given(f"URL,title\r{A.replace(',', '')},One\r{B},Two\r") == [A.replace(",", ""), B]
    assert given(f"{A}\r{B}\r") == [A, B]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04\x14\0\x06\0\x08\0", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as CSV"),
        (gzip.compress(A.encode(), mtime=0), "zcat FILE"),
        (b"%PDF-1.7\n", "is a PDF"),
    ],
)
def test_files_that_are_no_lists_are_told(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        given(data, "list.txt")


def test_a_sitemap_and_a_feed_are_lists() -> None:
    head = "<?xml version='1.0' encoding='ISO-8859-1'?>\n<!-- made by hand -->\n"
    loc = "<url><loc>{}</loc><lastmod>2026-11-02</lastmod></url>"
    urlset = (
        f"{head}<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{loc.format(A)}{loc.format(B)}</urlset>"
    )
    assert [normalize(each) for each in given(urlset.encode("latin-1"), "sitemap.xml")] == [normalize(A), normalize(B)]
    feed = f"<rss version='2.0'><channel><link>http://b.example/</link><item><link>{A}</link></item></channel></rss>"
    assert given(feed) == [A]
    index = "<sitemapindex><sitemap><loc>https://a.example/2.xml</loc></sitemap></sitemapindex>"
    found = list(entries(io.BufferedReader(io.BytesIO(index.encode()))))
    assert found == [Entry("https://a.example/2.xml", "is another sitemap, not a page")]
    with pytest.raises(UsageError, match="without an address"):
        given("<urlset></urlset>")
