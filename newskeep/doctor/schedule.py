"""The schedule: whether something starts `newskeep due`, and whether what it starts is there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from newskeep.doctor.finding import Finding, alone, bad, good, warned
from newskeep.schedule import crontab, systemd
from storage import open_archive

if TYPE_CHECKING:
    from crawler.config import Config

#: Where cron looks for programs, if the crontab does not say (Debian's crontab(5)).
_CRON_PATH = "/usr/bin:/bin"
_AGAIN = "newskeep schedule install"


def findings(config: Config) -> Iterator[Finding]:
    yield from alone("schedule", lambda: _schedule(config))


def _schedule(config: Config) -> Iterator[Finding]:
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        uri = archive.uri
    table = crontab.read() if crontab.available() else b""
    block = crontab.block(table, uri)
    units = systemd.installed(uri, systemd.folder())
    own = list(_own_lines(table))
    if block is not None:
        yield from _of_block(block)
        yield from _cron_runs()
    if units:
        yield from _of_units(units)
    if block is not None and units:
        yield warned("schedule", "both cron and systemd start this archive", "newskeep schedule remove --cron")
    for line in own:
        yield from _of_line(line, _path_of(table))
    if block is None and not units and not own:
        if config.sites:
            yield warned("schedule", "nothing starts the sites of newskeep.toml", _AGAIN)
        else:
            yield good("schedule", "none, and no sites to start")


def _of_block(block: bytes) -> Iterator[Finding]:
    line = next((line for line in block.split(b"\n") if line and not line.startswith(b"#")), b"")
    command = os.fsdecode(line.split(b" ", 5)[-1]).replace("\\%", "%")
    folder, _, words = command.removeprefix("cd ").partition(" && ")
    yield from _of_words("cron", shlex.split(words), Path((shlex.split(folder) or [""])[0]))


def _of_words(name: str, words: list[str], folder: Path) -> Iterator[Finding]:
    """What a scheduler starts: program, folder and configuration file, all by their whole paths."""
    wrong = False
    if not words or not os.access(words[0], os.X_OK):
        wrong = True
        yield bad("schedule", f"{name} starts {words[0] if words else 'nothing'}, which is not there", _AGAIN)
    if not folder.is_dir():
        wrong = True
        yield bad("schedule", f"{name} starts it in {folder}, which is not there", _AGAIN)
    given = words[words.index("--config") + 1] if "--config" in words[:-1] else None
    if given is not None and not Path(given).is_file():
        wrong = True
        yield bad("schedule", f"{name} gives it {given}, which is not there", _AGAIN)
    if not wrong:
        yield good("schedule", f"{name} starts {words[0]}")


def _own_lines(table: bytes) -> Iterator[str]:
    """Lines that somebody wrote by hand: those with `newskeep due` or `crawl` outside of all blocks of ours."""
    inside = False
    for raw in table.split(b"\n"):
        line = os.fsdecode(raw).strip()
        if line.startswith(("# BEGIN newskeep ", "# END newskeep ")):
            inside = line.startswith("# BEGIN")
        elif not inside and not line.startswith("#") and re.search(r"newskeep\s+(?:due|crawl|save)\b", line):
            yield line


def _of_line(line: str, path: str) -> Iterator[Finding]:
    found = re.search(r"(\S*newskeep)\s+(?:due|crawl|save)\b", line)
    program = found[1] if found else "newskeep"
    if shutil.which(program, path=path):
        yield good("schedule", f"a line of your crontab starts {program}")
    else:
        said = f"a line of your crontab starts {program}, which cron does not find (its PATH is {path})"
        yield bad("schedule", said, f"write the whole path, or let it be written: {_AGAIN}")


def _path_of(table: bytes) -> str:
    found = re.findall(rb"^\s*PATH\s*=\s*[\"']?([^\"'\n]+)", table, re.MULTILINE)
    return os.fsdecode(found[-1].strip()) if found else _CRON_PATH


def _cron_runs() -> Iterator[Finding]:
    """Whether the daemon is among the processes, as far as they can be seen."""
    names = set()
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.add(comm.read_text(encoding="utf-8", errors="replace").strip())
        except OSError:
            continue
    if names and not names & {"cron", "crond", "fcron", "dcron", "busybox", "systemd-cron", "anacron"}:
        yield warned("schedule", "cron does not seem to run here", "start it: service cron start")


def _of_units(units: list[Path]) -> Iterator[Finding]:
    service = next((path for path in units if path.suffix == ".service"), None)
    text = service.read_text(encoding="utf-8", errors="surrogateescape") if service else ""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    words = shlex.split(lines.get("ExecStart", "").replace("%%", "%").replace("$$", "$"))
    yield from _of_words("systemd", words, Path(lines.get("WorkingDirectory", "/").replace("%%", "%")))
    timer = next((path.name for path in units if path.suffix == ".timer"), None)
    if timer is None:
        yield bad("schedule", "the timer of systemd is gone", _AGAIN)
    elif systemd.available() and (why := systemd.control("is-active", "--quiet", timer)) is not None:
        yield bad("schedule", f"the timer is not started ({why})", f"systemctl --user enable --now {timer}")
