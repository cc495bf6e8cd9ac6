"""The command that a scheduler starts: the same whatever PATH, HOME and folder it is started with."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crawler.durations import duration
from storage.errors import UsageError
from storage.postgres_address import PostgresAddress

if TYPE_CHECKING:
    from storage.archive import Archive

#: Minutes between runs that both cron and systemd keep evenly: what divides an hour, and hours that divide a day.
PERIODS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)


@dataclass(frozen=True, slots=True)
class Job:
    """`newskeep due` for one archive."""

    #: The archive with its absolute path: what tells its block and units from those of other archives.
    archive: str
    #: Where it runs: relative paths in newskeep.toml mean the same as they did at installation.
    folder: Path
    #: Program and arguments, paths absolute.
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """For a POSIX shell, with the change of folder."""
        return f"cd {shlex.quote(str(self.folder))} && {shlex.join(self.words)}"


def job(
    archive: Archive,
    config: Path | None,
    remote_state: Path | None,
    options: tuple[str, ...] = (),
    index: str | None = None,
) -> Job:
    """The job of an archive, as seen from the current folder. `options` are further ones of `due`.

    `config` is the configuration file in use, `remote_state` the state folder where that is not the archive itself:
    XDG_STATE_HOME may be another one for cron; `index` the address of a shared index that the file does not name.
    Raises `UsageError` for a path that no crontab can hold, and for an address that holds a password.
    """
    words = [*program(), "due", "--quiet", "--archive", archive.uri]
    if remote_state is not None:
        words += ["--state", str(remote_state.absolute())]
    if index is not None:
        if PostgresAddress.parse(index).has_password:
            raise UsageError("a schedule would show the password of the index: name the index in newskeep.toml instead")
        words += ["--index", index]
    if config is not None:
        words += ["--config", str(config.absolute())]
    made = Job(archive.uri, Path.cwd(), (*words, *options))
    for word in (str(made.folder), *made.words):
        if any(char in word for char in "\n\r\0"):
            raise UsageError(f"a schedule cannot name {word!r}: it has a line break")
    return made


def program() -> tuple[str, ...]:
    """The `newskeep` script of this environment, or its interpreter with our module where there is no script."""
    script = Path(sysconfig.get_path("scripts")) / "newskeep"
    if os.access(script, os.X_OK):
        return (str(script),)
    # -P: a file called "crawler.py" in the current folder must not be taken for ours.
    return (sys.executable, "-P", "-m", "newskeep")


def period(seconds: float) -> int:
    """The minutes between runs, one of `PERIODS`. Raises `UsageError`."""
    if seconds / 60 not in PERIODS:
        known = ", ".join(duration(minutes * 60) for minutes in PERIODS)
        raise UsageError(f"a schedule cannot keep every {duration(seconds)}: choose one of {known}")
    return round(seconds / 60)


def minute_of(archive: str, host: str) -> int:
    """A minute of the day that is always the same for an archive on a machine, and another for the next one.

    News sites see a crawler of everybody's at every full hour; this one comes when it is its turn.
    """
    digest = hashlib.sha256(f"{host}\0{archive}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:4]) % (24 * 60)


def unseen_variables(archive: str, environ: Mapping[str, str]) -> list[str]:
    """Variables that configure us here and that no scheduler will hand on, without those that the job writes out."""
    written = {"NEWSKEEP_ARCHIVE", "NEWSKEEP_STATE", "NEWSKEEP_INDEX", "NEWSKEEP_CONFIG"}
    ours = ("NEWSKEEP_", "AWS_") if archive.startswith("s3:") else ("NEWSKEEP_",)
    return sorted(name for name, value in environ.items() if value and name.startswith(ours) and name not in written)
