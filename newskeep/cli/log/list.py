"""`newskeep log list`: the logs of an archive."""

from __future__ import annotations

import base64
import json

import click

from crawler.config import Config
from newskeep.cli._options import configured, open_existing
from newskeep.cli._terminal import echo
from storage.counts import counted

_EXAMPLES = """\b
Examples:
  newskeep log list
  newskeep log list --json --archive s3://my-bucket/news

\b
Exit codes: 0 done, 1 a log's key is damaged, 3 the archive is out of reach."""


@click.command("list", epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON line for each log.")
@configured
def list_(as_json: bool, settings: Config) -> None:
    """List the logs of the archive: one for each machine that writes one, with its key and its newest head."""
    from storage.transparency.checkpoint import opened as open_head
    from storage.transparency.objects import heads, logs, read_head, read_info, stamps

    with open_existing(settings) as archive:
        found = logs(archive.store)
        for log in found:
            info, sizes = read_info(archive.store, log), heads(archive.store, log)
            note = read_head(archive.store, log, sizes[-1]) if sizes else None
            head = open_head(note, info.key) if note else None
            size, stamped = head.size if head else 0, len(stamps(archive.store, log))
            fields = {
                "log": log,
                "name": info.name,
                "key": base64.b64encode(info.key.raw).decode(),
                "begun": info.begun.isoformat(timespec="seconds"),
                "leaves": size,
                "root": head.root.hex() if head else None,
                "signed": head.time.isoformat(timespec="seconds") if head else None,
                "stamped": stamped,
            }
            if as_json:
                click.echo(json.dumps(fields, ensure_ascii=False))
            else:
                signed = f"signed {head.time:%Y-%m-%d %H:%M:%S} UTC" if head else "not signed yet"
                said = f"{counted(size, 'leaf', 'leaves')}, {signed}, {counted(stamped, 'stamped head')}"
                echo(f"{log}  {info.name or '(no name)'}: {said}")
        if not found:
            echo(f"{archive.uri} has no log; newskeep log init begins one", err=True)
