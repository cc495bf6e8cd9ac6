"""Markdown with YAML front matter, a file an article: `<site>/<day>/<time>-<title>-<hash>.md`. Pictures stay links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from newskeep.export import Part, Selection, Tools
from newskeep.export.source import by_day, read_articles, second_of
from newskeep.fields import of_annotations
from storage.archive import Archive
from storage.index import ArticleEntry
from storage.index.tokenizer import tokens
from storage.model import Article
from storage.rights.signal import to_json

#: Articles between two entries of the manifest.
_MOST = 200
_TITLE_CHARS = 60
# YAML takes all of JSON's strings but for these, which it wants escaped.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Markdown:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def parts(self, archive: Archive, selection: Selection, after: Any, folder: Path) -> Iterator[Part]:
        for name, articles in by_day(read_articles(archive, selection, after, self._tools), _MOST):
            files: dict[str, Path] = {}
            last = ""
            for entry, article in articles:
                path = folder / f"{name}-{len(files)}"
                said = of_annotations(archive, entry.url, entry.timestamp)
                text = front_matter(entry, article, said) + self._tools.markdown(article)
                path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
                files[key_of(entry)] = path
                last = second_of(entry.timestamp)
            yield Part(files, len(files), last, many=True)


def key_of(entry: ArticleEntry) -> str:
    """A name that every file system and object store takes, and that no other article has."""
    words = "-".join(token for token in tokens(entry.title or "") if token.isascii())[:_TITLE_CHARS].strip("-")
    place = f"{entry.url} {entry.filename} {entry.offset}"
    digest = sha256(place.encode(errors="replace")).hexdigest()[:8]
    site = re.sub(r"[^a-z0-9.-]", "-", entry.site).strip(".") or "site"
    return f"{site}/{entry.timestamp:%Y-%m-%d}/{entry.timestamp:%H%M%S}-{words or 'article'}-{digest}.md"


def front_matter(entry: ArticleEntry, article: Article, said: Mapping[str, Any]) -> str:
    """The fields of an article and what was said of it, as YAML between lines of hyphens; missing ones are left out."""
    fields = {
        "title": article.title,
        "url": article.url,
        "site": entry.site,
        "captured": f"{entry.timestamp:%Y-%m-%dT%H:%M:%SZ}",
        "published": article.published,
        "modified": article.modified,
        "authors": list(article.authors),
        "language": article.language,
        "section": article.section,
        "topics": list(article.topics),
        "description": article.description,
        "image": article.image,
        "words": article.words,
        "paywalled": article.paywalled,
        "noarchive": article.noarchive or None,
        "rights": to_json(article.rights),
        "confidence": article.confidence,
        **said,
    }
    lines = [f"{name}: {_yaml(value)}" for name, value in fields.items() if value not in (None, [])]
    return "\n".join(["---", *lines, "---", "", ""])


def _yaml(value: Any) -> str:
    """JSON is YAML, but for a few characters."""
    made = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda char: f"\\u{ord(char[0]):04x}" if ord(char[0]) < 0xD800 else "\ufffd", made)
