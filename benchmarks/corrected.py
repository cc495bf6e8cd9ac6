"""What readers corrected, as training data: the page as it was archived, and what was said of some of its blocks.

Only these blocks say anything. What the extractor made of the others is no gold: a model would learn its own mistakes
from it. A block weighs as much as it would on a page that is marked as a whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from corpus import Page

from crawler.extraction.corrections import matches
from crawler.html.elements import Cut
from crawler.html.encoding import decode
from storage import open_archive
from storage.archive import Archive
from storage.corrections import Correction, read_all, to_fields
from storage.errors import NewskeepError
from storage.http import ContentError

logger = logging.getLogger(__name__)

SOURCE = "corrections"
#: Bytes of a page, unpacked.
_CONTENT_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CorrectedPage:
    """A page without gold text, and all that is said of its blocks."""

    page: Page
    corrections: Sequence[Correction]

    def verdicts(self, cuts: Sequence[Cut]) -> Mapping[int, bool]:
        """Return position -> whether it is article text, of the blocks that a reader and the model have a say in."""
        found = matches([cut.text for cut in cuts], self.corrections)
        return {at: said.verdict == "keep" for at, said in found.items() if cuts[at].excluded is None}


def load(uri: str) -> list[CorrectedPage]:
    """Return the corrected pages of an archive by site and address; one that is not held any more is told."""
    with open_archive(uri) as archive:
        archive.store.check()
        said = read_all(archive.store, on_problem=lambda problem: logger.warning("%s", problem))
        return list(_pages(archive, sorted(said, key=lambda each: (each.site, each.url, each.captured))))


def digest(pages: Iterable[CorrectedPage]) -> str:
    """Return "sha256:…" over the pages and what is said of them."""
    total = hashlib.sha256()
    for one in pages:
        said = [to_fields(each) for each in one.corrections]
        total.update(one.page.html + json.dumps(said, sort_keys=True).encode())
    return f"sha256:{total.hexdigest()}"


def _pages(archive: Archive, said: Sequence[Correction]) -> Iterator[CorrectedPage]:
    """Yield each page once, in the newest capture that somebody looked at."""
    for url, same in groupby(said, key=lambda each: each.url):
        newest = list(same)[-1]
        try:
            memento = archive.get(url, newest.captured, follow=True)
            content = memento.message.content(_CONTENT_MAX)
        except (NewskeepError, ContentError) as error:
            logger.warning("%s: left out (%s)", url, error)
            continue
        # With a byte order mark: the page may name an encoding that the header has overruled.
        text = decode(content, memento.message.header("content-type"))
        page = Page(url, SOURCE, url, b"\xef\xbb\xbf" + text.encode("utf-8", "replace"), "", "", "", {})
        about = [each for each in said if each.site == newest.site and each.is_about(url, newest.canonical_url)]
        yield CorrectedPage(page, about)
