"""From the bytes of a page to its text, as a browser reads it, and better where the page is wrong about itself.

Order of belief: byte order mark, HTTP header, `<meta>`, then the bytes (WHATWG, Encoding and HTML 13.2.3). A
declared encoding that plainly does not fit the bytes is overruled: valid UTF-8 is UTF-8 whatever the page says, and
a Western encoding does not hold long runs of letters beyond ASCII.
"""

from __future__ import annotations

import codecs
import re

#: Where a page says its encoding; WHATWG reads 1024 bytes, real pages put long comments and scripts before.
_PRESCAN = 16_384
#: So much text beyond ASCII is enough to tell an encoding by.
_SAMPLE = 12_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.ASCII | re.IGNORECASE)
_META = re.compile(rb"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)

# Python's name of a codec -> the codec browsers use for it (WHATWG Encoding, 4.2): the wider one that contains it.
_WEB = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "shift_jisx0213": "cp932",
    "euc_kr": "cp949",
    "johab": "cp949",
    # A page whose <meta> could be read byte by byte is not UTF-16.
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
    "utf-32": "utf-8",
    "utf-32-le": "utf-8",
    "utf-32-be": "utf-8",
}
# Labels that browsers know and Python does not.
_LABELS = {
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-x-big5": "big5hkscs",
    "windows-949": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "windows-874": "cp874",
    "dos-874": "cp874",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-roman": "mac_roman",
    "unicode": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-user-defined": "cp1252",
    "iso-8859-8-i": "iso8859-8",
}
# Everything a news page may be in; a codec outside is a mistake or an attack ("utf-7", "rot13", "zip").
_ALLOWED = frozenset(
    [
        *("utf-8", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
        *("cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic"),
        *("cp932", "euc_jp", "iso2022_jp", "gb18030", "big5hkscs", "cp949"),
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    ]
)
_WESTERN = frozenset({"cp1252", "cp1254", "cp1250", "cp1257", "iso8859-2", "iso8859-15", "mac-roman", "iso8859-16"})
_DETECTABLE = [
    *("cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949", "koi8_r", "iso8859_2", "iso8859_7"),
]
_HIGH_TEXT = re.compile(rb"[^<>\x80-\xff]{0,60}[\x80-\xff][^<>]{0,4000}")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def decode(html: bytes, content_type: str | None = None) -> str:
    """Return the page's text; never raises, and holds no NUL and no lone surrogate.

    `content_type` is the value of the HTTP header, such as "text/html; charset=utf-8".
    """
    for bom, name in _BOMS:
        if html.startswith(bom):
            return clean(html[len(bom) :].decode(name, "replace"))
    if wide := _wide(html):
        return clean(html.decode(wide, "replace"))
    declared = _declared(html, content_type)
    try:
        text = html.decode()
    except UnicodeDecodeError:
        return clean(html.decode(_choose(html, declared), "replace"))
    # ASCII is valid UTF-8, and ISO-2022-JP is ASCII with escapes, the only such encoding left on the web.
    if declared[:1] == ["iso2022_jp"] and "\x1b$" in text:
        text = html.decode("iso2022_jp", "replace")
    # Bytes that happen to be one or two letters of UTF-8 are left to what the page says.
    elif len(html) - len(text) in (1, 2) and declared and "utf-8" not in declared:
        text = html.decode(declared[0], "replace")
    return _CONTROL.sub(" ", text.replace("\0", ""))


# &#0; to &#31; without tab, line feed and carriage return, decimal or hexadecimal.
_CONTROL = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[\da-fA-F]))(?:;|(?![\da-fA-F]))")


def clean(text: str) -> str:
    """Return the text without NULs, lone surrogates and references to control characters.

    Neither lxml nor UTF-8 can hold the first two, and no XML tree the third, so that trafilatura gives up the page.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub(" ", text.replace("\0", ""))


def codec(label: str) -> str | None:
    """Return Python's codec for an encoding label of the web; `None` if no page may use it.

    "latin1" is windows-1252, "gb2312" is gb18030, and so on (WHATWG Encoding, 4.2).
    """
    label = label.strip().lower()
    try:
        name = _LABELS.get(label) or codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    name = codecs.lookup(_WEB.get(name, name)).name
    return name if name in _ALLOWED else None


def _declared(html: bytes, content_type: str | None) -> list[str]:
    """The encodings the page is said to have, the most authoritative first."""
    head = _COMMENT.sub(b"", html[:_PRESCAN])
    labels = [match[1] for match in [_CHARSET.search(content_type or "")] if match]
    labels += [match[1].decode("ascii", "replace") for match in [_META.search(head), _XML.search(head)] if match]
    return list(dict.fromkeys(name for name in map(codec, labels) if name))


def _choose(html: bytes, declared: list[str]) -> str:
    """The encoding of bytes that are not valid UTF-8."""
    text = html.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - broken
    # A few broken bytes in a page full of UTF-8: an advert, a cut comment.
    if good > 20 * broken:
        return "utf-8"
    sample = _sample(html)
    for name in declared:
        if name != "utf-8" and _fits(sample, name):
            return name
    return _detect(sample) or ("utf-8" if good > broken else "cp1252")


def _sample(html: bytes) -> bytes:
    """The text beyond ASCII with a little around it, without tags."""
    size, parts = 0, []
    for match in _HIGH_TEXT.finditer(html):
        parts.append(match[0])
        size += len(match[0])
        if size > _SAMPLE:
            break
    return b"\n".join(parts)


def _fits(sample: bytes, name: str) -> bool:
    """Whether the bytes can be text in this encoding."""
    if name in _WESTERN:
        # In Western languages accents stand alone or in pairs ("naïve"); elsewhere whole words are beyond ASCII.
        runs = [len(run) for run in _HIGH_RUN.findall(sample)]
        return sum(length for length in runs if length > 3) * 2 < sum(runs)
    # One mistake in a hundred: adverts and cut sequences.
    text = sample.decode(name, "replace")
    return text.count("\ufffd") * 100 <= len(text)


def _detect(sample: bytes) -> str | None:
    """The encoding the bytes look most like."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample, steps=5, chunk_size=1024, cp_isolation=_DETECTABLE, enable_fallback=False)
    best = found.best()
    # On a tie the most common of the Western encodings.
    for match in found:
        if best and match.encoding == "cp1252" and (match.chaos, -match.coherence) <= (best.chaos, -best.coherence):
            best = match
    return codec(best.encoding) if best else None


def _wide(html: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of the markup is NUL."""
    head = html[:32]
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(head) >= 8 and not any(head[start::2]) and head[1 - start :: 2].isascii() and all(head[1 - start :: 2]):
            return name
    return None
