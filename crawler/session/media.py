"""What was archived that is no page with a text, in words: "PDF, 1.2 MB, no text"."""

from __future__ import annotations

from crawler.sizes import size

#: Media types by the names that people have for them; of others, the kind (image, video, audio) and the subtype.
_NAMES = {
    "application/pdf": "PDF",
    "application/epub+zip": "EPUB",
    "application/zip": "ZIP",
    "application/gzip": "gzip",
    "application/msword": "Word document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
    "application/vnd.ms-excel": "Excel table",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel table",
    "application/vnd.ms-powerpoint": "PowerPoint slides",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint slides",
    "application/vnd.oasis.opendocument.text": "OpenDocument text",
    "application/rtf": "RTF",
    "application/octet-stream": "binary data",
    "application/x-mpegurl": "film (HLS playlist)",
    "application/vnd.apple.mpegurl": "film (HLS playlist)",
    "application/dash+xml": "film (DASH playlist)",
    "application/javascript": "script",
    "text/javascript": "script",
    "text/css": "style sheet",
    "text/plain": "plain text",
    "text/csv": "CSV",
    "text/html": "HTML",
    "application/xhtml+xml": "HTML",
    "application/rss+xml": "RSS feed",
    "application/atom+xml": "Atom feed",
    "application/feed+json": "JSON feed",
    "application/json": "JSON",
    "application/ld+json": "JSON",
    "application/xml": "XML",
    "text/xml": "XML",
    "image/svg+xml": "picture (SVG)",
    "image/vnd.microsoft.icon": "picture (icon)",
    "image/x-icon": "picture (icon)",
    "video/mp2t": "film (MPEG-TS)",
    "video/quicktime": "film (QuickTime)",
    "audio/mpeg": "sound (MP3)",
}
_KINDS = {"image": "picture", "video": "film", "audio": "sound", "font": "font"}


def described(media_type: str | None, length: int) -> str:
    """The words for an answer without text; `media_type` in lower case, `length` of its body in bytes."""
    return f"{name_of(media_type)}, {size(length)}, no text"


def name_of(media_type: str | None) -> str:
    """A media type as people call it; one that nobody has a name for stays as it is."""
    if media_type is None:
        return "unknown type"
    if name := _NAMES.get(media_type):
        return name
    kind, _, subtype = media_type.partition("/")
    return f"{_KINDS[kind]} ({subtype.removeprefix('x-').upper()})" if kind in _KINDS and subtype else media_type
