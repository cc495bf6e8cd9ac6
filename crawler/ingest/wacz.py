"""The WARCs of a WACZ package, and what it says of itself (WACZ 1.1.1)."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storage.errors import Corrupt
from storage.ingest.names import WARC_SUFFIXES
from storage.spool import writing

MAGIC = b"PK\x03\x04"
_CHUNK = 1 << 20
_DESCRIPTION_MAX = 16 << 20
#: Fields of datapackage.json that are kept as they are.
_KEPT = ("title", "description", "created", "modified", "software", "mainPageUrl", "mainPageDate")


class Wacz:
    """An open package. Raises `Corrupt` where it is none, or damaged."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise Corrupt(f"not a readable WACZ ({error})") from error
        self._package = self._json("datapackage.json")

    def close(self) -> None:
        self._zip.close()

    @property
    def warcs(self) -> list[str]:
        """Names of the WARCs in it, in order."""
        return sorted(name for name in self._zip.namelist() if name.lower().endswith(WARC_SUFFIXES))

    @property
    def description(self) -> Mapping[str, Any]:
        """What it says of itself: title, description, time, software."""
        return {name: str(self._package[name])[:2_000] for name in _KEPT if self._package.get(name)}

    def sha256(self, name: str) -> str | None:
        """The SHA-256 of a file as datapackage.json has it, hex; `None` where it does not say."""
        for each in self._resources():
            if each.get("path") == name and str(each.get("hash", "")).startswith("sha256:"):
                return str(each["hash"]).removeprefix("sha256:").lower()
        return None

    def extract(self, name: str, target: Path) -> None:
        """Write one of its WARCs to a file. Raises `Corrupt`, `SpoolError`."""
        try:
            with self._zip.open(name) as stream, writing(target), target.open("wb") as file:
                shutil.copyfileobj(stream, file, _CHUNK)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise Corrupt(f"cannot be taken out of the WACZ ({error})") from error

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        resources = self._package.get("resources")
        yield from (each for each in resources if isinstance(each, dict)) if isinstance(resources, list) else ()

    def _json(self, name: str) -> Mapping[str, Any]:
        """A description in it; empty where there is none that can be read: the WARCs matter."""
        try:
            with self._zip.open(name) as stream:
                found = json.loads(stream.read(_DESCRIPTION_MAX))
        except (
            KeyError,
            ValueError,
            RecursionError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
        ):
            return {}
        return found if isinstance(found, dict) else {}
