"""Bytes to text: what pages declare, what they lie about, and what nobody could mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.html.encoding import clean, codec, decode

SENTENCES = {
    "cp1251": "Президент встретился с министром, сообщает корреспондент агентства из столицы.",
    "koi8-r": "Президент встретился с министром, сообщает корреспондент агентства из столицы.",
    "cp932": "新聞社は今日、政府の計画について報じた。首相は会議に出席した。カタカナもあります。",
    "euc_jp": "新聞社は今日、政府の計画について報じた。首相は会議に出席した。カタカナもあります。",
    "gb18030": "记者今天在会议上采访了有关部门，他们表示将继续推动改革和发展。",
    "big5": "總統今天在台北出席會議時表示，政府將會繼續推動改革。",
    "euc_kr": "대통령은 오늘 서울에서 열린 회의에서 정부의 계획을 발표했다.",
    "cp1253": "Ο πρωθυπουργός δήλωσε σήμερα ότι η κυβέρνηση θα συνεχίσει τις αλλαγές",
    "cp1256": "قال الرئيس اليوم إن الحكومة ستواصل الإصلاحات في البلاد",
    "cp1252": "Æblegrød på øen: »Det kræver sin mand,« siger hun – og ler.",
}


def page(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>{text}</title></head><body>" + f"<p>{text}</p>" * 6 + "</body></html>"


@pytest.mark.parametrize("name", SENTENCES)
def test_header_and_meta_name_the_encoding(name: str) -> None:
    text = SENTENCES[name]
    assert text in decode(page(text).encode(name), f"text/html; charset={name}")
    assert text in decode(page(text, f'<meta charset="{name}">').encode(name))
    equiv = f"<META content='text/html;charset={name}' http-equiv=Content-Type>"
    assert text in decode(page(text, equiv).encode(name))


@pytest.mark.parametrize("name", [name for name in SENTENCES if name != "cp1252"])
@pytest.mark.parametrize("lie", ["utf-8", "iso-8859-1", "no-such-encoding"])
def test_a_declaration_that_cannot_be_true_is_overruled(name: str, lie: str) -> None:
    text = SENTENCES[name]
    assert text in decode(page(text).encode(name), f"text/html; charset={lie}")


@pytest.mark.parametrize("lie", ["iso-8859-1", "us-ascii", "windows-1251", "gbk", "utf-16"])
def test_valid_utf8_is_utf8_whatever_the_page_says(lie: str) -> None:
    text = "Søren fik blåbærgrød på øen – og sagde: »Tak!«"
    assert text in decode(page(text).encode(), f"text/html; charset={lie}")


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    text = "Grøn æble på en ø, sagde høvdingen og så længe ud over åen. "
    broken = page(text * 5).encode().replace(b"</body>", b"\xe6\xff</body>")
    assert text.strip() in decode(broken, "text/html; charset=iso-8859-1")


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_beats_everything(name: str) -> None:
    text = page("Ærø 日本")
    assert decode(text.encode(name), "text/html; charset=windows-1252") == text


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(name: str) -> None:
    text = page("Ærø 日本")
    assert decode(text.encode(name)) == text


def test_western_text_without_any_declaration() -> None:
    text = SENTENCES["cp1252"]
    assert text in decode(page(text).encode("cp1252"))


def test_iso_2022_jp_only_where_declared() -> None:
    text = SENTENCES["cp932"]
    encoded = page(text).encode("iso2022_jp")
    assert text in decode(encoded, "text/html; charset=iso-2022-jp")
    assert text not in decode(encoded)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("latin1", "cp1252"),
        (" ISO-8859-1 ", "cp1252"),
        ("ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("x-sjis", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("iso-8859-9", "cp1254"),
        ("UTF8", "utf-8"),
        ("utf-16le", "utf-8"),
        ("utf-7", None),
        ("rot13", None),
        ("zip", None),
        ("", None),
        ("cp037", None),
    ],
)
def test_labels_as_browsers_read_them(label: str, name: str | None) -> None:
    assert codec(label) == name


def test_a_charset_in_a_comment_is_none() -> None:
    html = b"<!-- <meta charset=windows-1251> --><meta charset=latin1><p>caf\xe9 caf\xe9 \xe0 Paris"
    assert "café café à Paris" in decode(html)


def test_nuls_and_lone_surrogates_go() -> None:
    assert decode(b"<p>a\0b</p>") == "<p>ab</p>"
    assert clean("a\ud800b\0c\U0001f600") == "a\ufffdbc\U0001f600"
    clean("\udfff").encode()


@given(st.binary(max_size=400), st.none() | st.text(max_size=60))
def test_never_raises(html: bytes, content_type: str | None) -> None:
    text = decode(html, content_type)
    assert "\0" not in text
    text.encode()


@given(
    st.binary(max_size=200), st.sampled_from(["shift_jis", "iso-2022-jp", "utf-16", "gbk", "big5", "koi8-r", "tis-620"])
)
def test_never_raises_for_a_lie(html: bytes, name: str) -> None:
    decode(b"<meta charset=" + name.encode() + b">" + html, f"text/html; charset={name}").encode()


def test_references_to_control_characters_go() -> None:
    assert clean("a&#27;b&#x1B;c&#0;d") == "a b c d"
    assert clean("tab &#9; line &#xA; star &#313; grin &#x1F600;") == "tab &#9; line &#xA; star &#313; grin &#x1F600;"
