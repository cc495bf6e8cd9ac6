"""What readers said of blocks, for one who makes texts: asked of the store once a WARC, and read once a session."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from storage import corrections
from storage.corrections import Correction
from storage.errors import Corrupt, ObjectMissing, StoreUnavailable
from storage.objects import ObjectStore
from storage.objects.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)


class CorrectionStore:
    """The corrections of an archive's sites. One that cannot be read is told and passed over: it stops no crawl.

    Where nothing was ever corrected, all that is asked is one listing a WARC. While the store is away, what is known
    from before counts.
    """

    def __init__(self, store: ObjectStore, absence: CircuitBreaker | None = None) -> None:
        self._store = store
        self._absence = absence or CircuitBreaker()
        #: Site -> keys.
        self._keys: Mapping[str, Sequence[str]] = {}
        #: Key -> what it holds, `None` for what is none. An object never changes.
        self._read: dict[str, Correction | None] = {}
        self._told = False

    def look(self) -> None:
        """Learn what has been said since the last look."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        try:
            with self._absence.noticed():
                for key in corrections.keys(self._store):
                    found[corrections.site_in(key)].append(key)
        except StoreUnavailable as error:
            self._tell(error)
        else:
            self._keys = found

    def of(self, site: str) -> Sequence[Correction]:
        """Return what holds of a site's articles, in order of time."""
        found = [self._correction(key) for key in self._keys.get(site, ())]
        return corrections.in_force(each for each in found if each is not None)

    def _correction(self, key: str) -> Correction | None:
        if key not in self._read:
            try:
                with self._absence.noticed():
                    self._read[key] = corrections.read(self._store, key)
            except (Corrupt, ObjectMissing) as error:
                logger.warning("%s: passed over (%s); remove it", key, error)
                self._read[key] = None
            except StoreUnavailable as error:
                self._tell(error)
                return None
        return self._read[key]

    def _tell(self, error: StoreUnavailable) -> None:
        if not self._told:
            logger.warning("what readers corrected is out of reach (%s); newskeep reextract applies it later", error)
        self._told = True
