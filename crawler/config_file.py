"""newskeep.toml written: a new one with its comments, and a site added to one that is there.

A file is read back before it takes the place of what was there, which it does whole or not at all.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from crawler.config import load
from crawler.sites.site import load_sites
from crawler.sites.site_table import quoted
from storage.errors import ConfigError

_OPERATOR = "https://archive.example.org/bot"


def new_file(archive: str, operator: str | None, tables: Iterable[str]) -> str:
    """Return a configuration with what a person would want to know beside each key; `tables` are those of sites."""
    contact = f"operator = {quoted(operator)}" if operator else f"# operator = {quoted(_OPERATOR)}"
    head = f"""\
# The configuration of Newskeep. Every key: newskeep docs configuration. Whether all is in place: newskeep doctor

# Where the archive is: a folder, or s3://bucket/prefix.
archive = {quoted(archive)}

# A web page or e-mail address where servers can reach you; it goes into the user agent and every WARC.
{contact}

# The sites that newskeep due crawls. This adds one: newskeep sites check ADDRESS --write
# What a table may say: newskeep docs add-a-site
"""
    return "\n".join([head, *(f"{table}\n" for table in tables)])


def write(path: Path, text: str, site: str | None = None) -> None:
    """Put a configuration into a file, once it is seen to be one; with `site`, that alone of its sites is looked at.

    Raises `ConfigError`; then the file is as it was. A link stays one, and permissions stay.
    """
    path = Path(os.path.realpath(path))
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with new.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _check(new, path, site)
        if path.exists():
            shutil.copymode(path, new)
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    finally:
        new.unlink(missing_ok=True)


def add_site(path: Path, name: str, table: str) -> None:
    """Add a site's table at the end of a file, which is made where there is none; what is there stays as it is.

    Raises `ConfigError`, also where the sites stand in braces, behind which no table can be added.
    """
    try:
        # As it is, with its line ends.
        there = path.read_bytes().decode() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    added = f"{table}\n" if not there.strip() else f"{'' if there.endswith(chr(10)) else chr(10)}\n{table}\n"
    try:
        write(path, there + (added.replace("\n", "\r\n") if "\r\n" in there else added), name)
    except ConfigError as error:
        raise ConfigError(f"{error}; nothing was added: put the table [sites.{name}] there by hand") from error


def _check(new: Path, path: Path, site: str | None) -> None:
    try:
        config = load(new, {})
        load_sites(config if site is None else replace(config, sites={site: config.sites[site]}))
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(new), str(path))) from error
