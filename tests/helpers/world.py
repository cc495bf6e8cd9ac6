"""A simulated news world for tests: many sites on loopback addresses in a server process, with a clock of its own.

    with World(["daily", "atom"], tmp_path) as world:
        operator = Operator(world, tmp_path)
        operator.run("crawl", world.base("daily"))          # under faketime, at the world's time
        world.go(hours=2)
        operator.run("crawl", world.base("daily"))
        assert [line.path for line in world.log() if line.kind == "article"]
        assert world.truth(until=world.now)

Kinds of sites are in world_sites.py. `faketime` (Debian: apt-get install faketime) must be there to run the crawler.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any, Self
from urllib.parse import urlencode

from warm_start import WarmStart

#: A Monday morning.
START = datetime(2026, 11, 2, 6, tzinfo=UTC)
SERVER = Path(__file__).with_name("world_server.py")
#: libfaketime 0.9.10 answers Python's way to sleep (an absolute time on the monotonic clock) with EINVAL.
SLEEP = "import select, time\n\n\ndef sleep(seconds):\n    select.select([], [], [], seconds)\n\n\ntime.sleep = sleep\n"


@dataclass(frozen=True, slots=True)
class Line:
    """A request as the server saw it."""

    #: In order of arrival, from 1.
    number: int
    #: Simulated.
    at: datetime
    #: Seconds on the machine's monotonic clock: head read, answer handed over; `None`: still under way.
    start: float
    end: float | None
    site: str
    host: str
    path: str
    #: What was asked for, see `Answer` in world_manners.py; with the article's number, version and form.
    kind: str
    article: int | None
    version: int | None
    form: str
    #: Why the answer was not the page.
    note: str
    #: `None`: no answer.
    status: int | None
    bytes: int
    if_none_match: str | None
    if_modified_since: str | None
    agent: str

    @property
    def conditional(self) -> bool:
        return bool(self.if_none_match or self.if_modified_since)

    @property
    def story(self) -> tuple[str, int | None]:
        return self.site, self.article


@dataclass(frozen=True, slots=True)
class Story:
    """An article as it truly was."""

    site: str
    article: int
    url: str
    published: datetime
    title: str
    #: Time, whether silent, whether the headline changed.
    edits: tuple[tuple[datetime, bool, bool], ...]
    removed: datetime | None
    gone: int
    noarchive: str | None

    @property
    def story(self) -> tuple[str, int]:
        return self.site, self.article

    def there(self, at: datetime) -> bool:
        return self.published <= at and (self.removed is None or at < self.removed)


class World:
    """The server between `__enter__` and `__exit__`. `folder` gets its log; `kinds` one site each, in order.

    `history` is the number of days of articles that are there at the start.
    """

    def __init__(
        self, kinds: Sequence[str], folder: Path, seed: int = 1, start: datetime = START, history: int = 14
    ) -> None:
        self.start = start
        self.log_file = folder / "world.jsonl"
        self._given = {
            "kinds": list(kinds),
            "seed": seed,
            "start": start.isoformat(),
            "history": history,
            "log": str(self.log_file),
        }
        self.bases: dict[str, str] = {}
        self.kinds: dict[str, str] = {}
        #: What ends with the world.
        self.ending = ExitStack()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), json.dumps(self._given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        told = json.loads(self._process.stdout.readline())
        self._control = told["control"]
        for site in told["sites"]:
            self.bases[site["name"]], self.kinds[site["name"]] = site["base"], site["kind"]
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.close()
        self._process.communicate()

    def name(self, kind: str) -> str:
        """The first site of this kind."""
        return next(name for name, each in self.kinds.items() if each == kind)

    def base(self, kind: str) -> str:
        """Address of the front page of the first site of this kind."""
        return self.bases[self.name(kind)] + "/"

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self._ask("/clock")["now"])

    @property
    def count(self) -> int:
        """Requests so far, those under way included."""
        return int(self._ask("/clock")["count"])

    def set(self, at: datetime, *, runs: bool = True) -> None:
        """Set the time; it then runs on in the machine's seconds, or stands still."""
        self._ask("/clock", json.dumps({"now": at.isoformat(), "runs": runs}).encode())

    def go(self, **time: float) -> None:
        """Go on by hours=…, days=…"""
        self.set(self.now + timedelta(**time))

    def wait(self, requests: int, timeout: float = 240) -> None:
        """Return as soon as that many requests have come in all; raises `TimeoutError`."""
        self._ask(f"/wait?requests={requests}", timeout=timeout)

    def truth(self, until: datetime, since: datetime | None = None) -> list[Story]:
        """Articles published after `since` (default: the oldest there are) and not after `until`."""
        query = {"since": (since or self.start - timedelta(days=60)).isoformat(), "until": until.isoformat()}
        return [_story(line) for line in self._lines("/truth?" + urlencode(query))]

    def log(self, since: int = 0) -> list[Line]:
        """Requests that were answered so far, after the first `since` of the world, in order of arrival."""
        # Who has an answer may be ahead of its line: the world writes that before it takes a question.
        self._ask("/clock")
        with self.log_file.open() as stream:
            lines = [json.loads(line) for line in stream if line.endswith("\n")]
        found = [Line(**{**line, "at": datetime.fromisoformat(line["at"])}) for line in lines]
        return sorted((line for line in found if line.number > since), key=lambda line: line.number)

    def _ask(self, path: str, body: bytes | None = None, timeout: float = 240) -> dict[str, Any]:
        request = urllib.request.Request(self._control + path, body)
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def _lines(self, path: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self._control + path, timeout=240) as response:
            return [json.loads(line) for line in response]


def _story(line: dict[str, Any]) -> Story:
    def time(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    edits = tuple((datetime.fromisoformat(at), silent, headline) for at, silent, headline in line["edits"])
    published = datetime.fromisoformat(line["published"])
    return Story(**{**line, "published": published, "edits": edits, "removed": time(line["removed"])})


@cache
def faketime_library() -> str:
    """Path of libfaketime for programs with threads; fails with what to install where it is not there."""
    command = which("faketime")
    assert command, "faketime is not installed: apt-get install faketime"
    told = subprocess.run([command, "-m", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, check=True)
    return told.stdout.decode().split(":")[-1].strip()


def swept(process: int) -> None:
    """Remove what libfaketime leaves of a process that was killed; another one may get its number."""
    for name in ("faketime_shm_{}", "sem.faketime_sem_{}"):
        Path("/dev/shm", name.format(process)).unlink(missing_ok=True)


@dataclass
class Operator:
    """One who runs `newskeep` in `folder`, at the world's time, with an archive there.

    Commands begin in a warm process (warm_start.py) of the world's own: libfaketime has to be there as that begins.
    """

    world: World
    folder: Path

    def __post_init__(self) -> None:
        clock = self.folder / "clock"
        clock.mkdir(parents=True, exist_ok=True)
        (clock / "sitecustomize.py").write_text(SLEEP)
        #: What libfaketime adds to the time; the workers that make the text read it as well, though begun earlier.
        self._offset = clock / "offset"
        self._tell_time()
        self._environment = self._made_environment()
        self._warm = WarmStart(self._environment)
        self.world.ending.callback(self._close)

    def configure(self, text: str) -> None:
        """Write newskeep.toml; what lets the crawler into this world stands in it already."""
        common = 'allow_private = true\noperator = "https://operator.example/"\nworkers = 1\n'
        (self.folder / "newskeep.toml").write_text(common + text)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        self._tell_time()
        return self._warm.start(arguments, self.folder, self._environment)

    def run(self, *arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[bytes]:
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            # With PYTHONFAULTHANDLER it says where it hangs.
            process.send_signal(signal.SIGABRT)
            out, err = process.communicate()
            raise AssertionError(f"{arguments} hangs:\n{out.decode()}\n{err.decode()}") from None
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command with --json and return its lines, or what its one list holds."""
        done = self.run(*arguments, "--json")
        assert done.returncode in (0, 4), done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _close(self) -> None:
        process = self._warm.close()
        if process:
            swept(process)

    def _tell_time(self) -> None:
        # scripts/test-anywhere moves our clock, but not the one that libfaketime goes by.
        true = datetime.now(UTC) - timedelta(days=int(os.environ.get("TESTS_DAYS_ON", "0")))
        # Never ahead of the world's: libfaketime cuts off parts of a millisecond or two, and one who waits until a date
        # that a server of the world told would come that much early.
        offset = (self.world.now - true).total_seconds() - 0.01
        # Whole at every moment: workers of an earlier command may be reading it.
        written = self._offset.with_suffix(".new")
        written.write_text(f"{offset:+.3f}\n")
        written.rename(self._offset)

    def _made_environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
        return {
            **clean,
            "HOME": str(self.folder / "home"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "NO_COLOR": "1",
            "PYTHONFAULTHANDLER": "1",
            "LD_PRELOAD": faketime_library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            # A command that begins looks at the file, however short ago the process looked that it comes from.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Otherwise its pthread_cond_timedwait returns at once, and whoever waits for the interpreter's lock spins.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            # Its stat takes a semaphore that all processes of a run share, and somebody may die holding it.
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(self.folder / "clock"),
        }
