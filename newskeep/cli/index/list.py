"""`newskeep index list`: the published months."""

from __future__ import annotations

import json

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted
from storage.errors import PROBLEMS_FOUND

_EXAMPLES = """\b
Examples:
  newskeep index list
  newskeep index list --json | jq -r '.files[].key | select(endswith(".parquet"))'

\b
Exit codes: 0 done, 3 the archive is out of reach, 7 done, but a manifest could not be read."""


@click.command("list", epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each month, with its files.")
@configured
def list_(as_json: bool, settings: Config) -> int:
    """List the published months: how much of each, when, and whether the database here has let it go.

    With --json also their files: those alone count, whatever else lies beside them while a month is published again.
    """
    from storage.problems import Problem
    from storage.publishing.publish import manifests

    problems: list[Problem] = []
    with open_existing(settings) as archive:
        found = manifests(archive, problems.append)
        released = {each.month for each in archive.index.released()}
        without_texts = {each.month for each in archive.index.released_texts()}
        for month, manifest in sorted(found.items()):
            size = sum(file.size for file in manifest.files)
            fields = {
                "month": str(month),
                "published": manifest.published.isoformat(timespec="seconds"),
                "captures": manifest.captures,
                "withheld": manifest.withheld,
                "bytes": size,
                "released": month in released,
                "texts": None if manifest.texts is None else manifest.documents,
                "texts_released": month in without_texts,
                "files": [{"key": file.key, "bytes": file.size, "sha256": file.sha256} for file in manifest.files],
            }
            if as_json:
                click.echo(json.dumps(fields))
                continue
            withheld = f", {manifest.withheld:,} withheld" if manifest.withheld else ""
            texts = "" if manifest.texts is None else f", {counted(manifest.documents, 'text')}"
            gone = [what for what, months in (("captures", released), ("texts", without_texts)) if month in months]
            where = f", {' and '.join(gone)} let go by the database here" if gone else ""
            what = f"{counted(manifest.captures, 'capture')}{withheld}{texts} in {counted(len(manifest.files), 'file')}"
            echo(f"{month}  {what} ({counted(size, 'byte')}), {manifest.published:%Y-%m-%d %H:%M:%S} UTC{where}")
        if not found:
            echo(f"nothing is published of the index of {archive.uri}; newskeep index publish does", err=True)
        for problem in problems:
            echo(str(problem), err=True)
    return PROBLEMS_FOUND if problems else 0
