"""A service and a timer for the user's systemd."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newskeep.schedule.job import Job
from storage.errors import NewskeepError
from storage.homes import home


class SystemdError(NewskeepError):
    """Unit files cannot be written, or systemd does not take them."""


@dataclass(frozen=True, slots=True)
class Units:
    """The files of one archive's schedule: name -> content."""

    name: str
    files: Mapping[str, str]

    @property
    def timer(self) -> str:
        return f"{self.name}.timer"


def unit_name(archive: str) -> str:
    """The units' name for an archive: readable, and no two archives share it."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", archive).strip("-")[-40:].strip("-")
    return f"newskeep-{readable}-{hashlib.sha256(os.fsencode(archive)).hexdigest()[:8]}"


def units(job: Job, every: int, minute: int) -> Units:
    """The units of a job that runs each `every` minutes, one of `PERIODS`, shifted by `minute`."""
    name = unit_name(job.archive)
    command = " ".join(_quoted(word) for word in job.words)
    service = f"""\
# Made by `newskeep schedule install`; `newskeep schedule remove` takes it away.
[Unit]
Description=newskeep: news sites that are due, into {_specifiers(job.archive)}
Documentation=man:systemd.timer(5)

[Service]
Type=oneshot
WorkingDirectory={_specifiers(str(job.folder))}
ExecStart={command}
# 75: a run was under way already.
SuccessExitStatus=75
# The program ends its own workers, after they have finished their page.
KillMode=mixed
# Seconds to seal and upload what was fetched before it is killed; what is left then goes up with the next run.
TimeoutStopSec=300
Nice=10
"""
    timer = f"""\
# Made by `newskeep schedule install`; `newskeep schedule remove` takes it away.
[Unit]
Description=newskeep: when to look for what is due, for {_specifiers(job.archive)}

[Timer]
OnCalendar={calendar(every, minute)}
# A run that was missed while the machine was off is caught up, once.
Persistent=true
RandomizedDelaySec=30
AccuracySec=30

[Install]
WantedBy=timers.target
"""
    return Units(name, {f"{name}.service": service, f"{name}.timer": timer})


def calendar(every: int, minute: int) -> str:
    """The calendar expression (systemd.time(7)) for a run each `every` minutes, shifted by `minute`."""
    if every < 60:
        return f"*-*-* *:{minute % every:02}/{every}:00"
    hours = every // 60
    return f"*-*-* {minute // 60 % hours:02}{f'/{hours}' if hours < 24 else ''}:{minute % 60:02}:00"


def _quoted(word: str) -> str:
    """A word of a command line in a unit file (systemd.service(5)): no shell reads it."""
    escaped = _specifiers(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{escaped}"' if re.search(r"[\s\"'\\;$]", word) or not word else escaped


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a user's units lie (systemd.unit(5))."""
    given = environ.get("XDG_CONFIG_HOME")
    return (Path(given) if given else home() / ".config") / "systemd" / "user"


def write(units: Units, target: Path) -> None:
    """Write the unit files. Raises `SystemdError`."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in units.files.items():
            temporary = target / f".{name}.tmp"
            temporary.write_text(content, encoding="utf-8", errors="surrogateescape")
            temporary.replace(target / name)
    except OSError as error:
        raise SystemdError(f"cannot write {target}: {error.strerror}") from error


def installed(archive: str, target: Path) -> list[Path]:
    """The unit files of an archive that are there."""
    name = unit_name(archive)
    return [path for suffix in ("service", "timer") if (path := target / f"{name}.{suffix}").is_file()]


def remove(paths: list[Path]) -> None:
    """Remove unit files. Raises `SystemdError`."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SystemdError(f"cannot remove {path}: {error.strerror}") from error


def available() -> bool:
    """Whether there is a systemctl."""
    return shutil.which("systemctl") is not None


def control(*words: str) -> str | None:
    """Call `systemctl --user`; returns `None` when it did what it was asked for, else why not, in a line."""
    try:
        done = subprocess.run(["systemctl", "--user", *words], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return done.stderr.decode(errors="replace").strip().split("\n")[0] or f"systemctl ended with {done.returncode}"
