"""By which names files of other crawlers are known in a folder, a bucket or a package."""

from __future__ import annotations

#: Files of records.
WARC_SUFFIXES = (".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz")
#: These, and packages of them.
SUFFIXES = (*WARC_SUFFIXES, ".wacz")


def is_foreign_name(name: str) -> bool:
    """Whether a file's name says that `newskeep import` can take it."""
    return name.lower().endswith(SUFFIXES)


def stray(archive: str, key: str) -> str:
    """What to say of an object that lies among ours in an archive, given by its URI, and is none of them."""
    if is_foreign_name(key):
        return f"not one of ours; `newskeep import {archive}/{key}` brings it in, then it may be removed"
    return "not one of ours; remove it"
