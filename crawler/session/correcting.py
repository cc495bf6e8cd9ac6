"""A reader's correction: made of a block, kept, and put at once over the texts that are held.

A stored article has all blocks of its page, so that no page need be extracted again.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from crawler.extraction.corrections import beginning_with, corrected, occurrence
from storage import corrections
from storage.archive import Archive
from storage.articles import change_part
from storage.corrections import Correction, CorrectionVerdict
from storage.errors import Corrupt, InvalidURL, ObjectMissing, UsageError
from storage.model import Article
from storage.problems import Problem
from storage.urls import site_of
from storage.warc import key_of

_CHUNK = 1 << 20
_SHOWN = 60
_VERIFY = "`newskeep verify --deep` says what to do"


def find_block(article: Article, given: str, keep: bool) -> int:
    """Return the position of a block given by its number, from 1, or by its first words.

    Of several with these words it is the one that `keep` would change. Raises `UsageError` where there is none, or
    still more than one.
    """
    number = int(given) if re.fullmatch(r"[0-9]{1,6}", given) else 0
    if 1 <= number <= len(article.blocks):
        return number - 1
    found = beginning_with([block.text for block in article.blocks], given)
    if len(found) > 1:
        found = [at for at in found if article.blocks[at].kept != keep] or found
    if not found:
        what = f"the page has no block {number}" if number else f"no block of the page begins with {shown(given)}"
        raise UsageError(f"{what}; newskeep explain {article.url} lists them")
    if len(found) > 1:
        numbers = ", ".join(str(at + 1) for at in found)
        raise UsageError(f"the blocks {numbers} of the page begin with {shown(given)}; give more words, or the number")
    return found[0]


def shown(text: str) -> str:
    """A block's text in a message, as much of it as tells it from others."""
    return f'"{text if len(text) <= _SHOWN else text[:_SHOWN] + "…"}"'


def corrections_of(
    archive: Archive, article: Article, on_problem: Callable[[Problem], None] = lambda problem: None
) -> list[Correction]:
    """Return what readers said of an article, and of all articles of its site, in order of time."""
    said = corrections.read_all(archive.store, site_of(article.url), on_problem)
    return [each for each in said if each.is_about(article.url, article.canonical_url)]


def correction_of(
    article: Article,
    position: int,
    verdict: CorrectionVerdict,
    *,
    whole_site: bool = False,
    by: str | None = None,
    note: str | None = None,
) -> Correction:
    """Return what a reader says of the block at a position of an article that is held."""
    assert article.timestamp is not None
    texts = [block.text for block in article.blocks]
    return Correction(
        article.url,
        article.timestamp,
        texts[position],
        verdict,
        datetime.now(UTC),
        article.canonical_url,
        whole_site,
        None if whole_site else occurrence(texts, position),
        by,
        note,
    )


@dataclass(slots=True)
class CorrectionResult:
    """What became of the texts that are held."""

    changed: int = 0
    problems: list[Problem] = field(default_factory=list)


def keep(archive: Archive, made: Iterable[Correction]) -> list[Correction]:
    """Keep corrections with their sites, durable on return. They are applied by whoever makes a text from now on.

    Raises `StoreUnavailable`, also where the index can be read only, before any is kept: the texts that are held could
    not have them.
    """
    archive.check_index()
    return [corrections.add(archive.store, each) for each in made]


def apply(archive: Archive, made: Collection[Correction]) -> CorrectionResult:
    """Have the texts that are held of what these corrections are about as all corrections of their sites have them.

    A WARC at a time; done twice, it changes nothing more. A text part that cannot be read is told, and stays. Raises
    `AlreadyRunning` where a reindex, compaction, copy or reextract is at work here.
    """
    result = CorrectionResult()
    with archive.upkeep():
        for site in sorted({each.site for each in made}):
            said = corrections.read_all(archive.store, site, result.problems.append)
            for filename in _filenames(archive, [each for each in made if each.site == site]):
                archive.mind_upkeep()
                _apply(archive, filename, site, said, result)
    return result


def _filenames(archive: Archive, made: Collection[Correction]) -> list[str]:
    """The WARCs that hold an article that one of these corrections of a site is about, by its address."""
    found: set[str] = set()
    for url in {each.url for each in made}:
        found |= {entry.filename for entry in archive.index.history(url)}
    for each in made:
        if each.whole_site:
            return sorted({entry.filename for entry in archive.index.articles(site=each.site)})
    return sorted(found)


def _apply(archive: Archive, filename: str, site: str, said: list[Correction], result: CorrectionResult) -> None:
    def change(article: Article) -> Article:
        return corrected(article, said) if _is_of(article, site) else article

    part, lines = key_of(filename, "text"), key_of(filename, "cdxj")
    with tempfile.TemporaryDirectory(prefix="correct-", dir=archive.state) as folder:
        old, new, captures = (Path(folder) / name for name in ("old", "new", "cdxj"))
        try:
            _fetch(archive, part, old)
            with old.open("rb") as stream, new.open("wb") as out:
                changed = sum(change_part(stream, out, change))
            if changed:
                _fetch(archive, lines, captures)
                with captures.open("rb") as held:
                    archive.replace_text(filename, new, held)
        except (Corrupt, ObjectMissing) as error:
            result.problems.append(Problem(filename, f"keeps the text it has ({error}); {_VERIFY}"))
        else:
            result.changed += changed


def _is_of(article: Article, site: str) -> bool:
    try:
        return site_of(article.url) == site
    except InvalidURL:
        return False  # in a part that somebody else wrote


def _fetch(archive: Archive, key: str, path: Path) -> None:
    with archive.store.open(key) as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)
