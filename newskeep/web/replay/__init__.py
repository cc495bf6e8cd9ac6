"""Replay: pywb, a process of its own that asks `/cdx` and `/warc/` of the app, behind an origin of its own."""

from newskeep.web.replay.origin import routes
from newskeep.web.replay.pywb import COLLECTION, Pywb, find_pywb

__all__ = ["COLLECTION", "Pywb", "find_pywb", "routes"]
