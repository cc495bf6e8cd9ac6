"""Saves in a process of its own: any number of times, from any thread, also inside a running event loop."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from crawler.session.reasons import in_words
from crawler.session.report import parse_outcome
from newskeep.saving.processes import OURS, SaveProcess, SaveProcesses
from newskeep.saving.request import SaveRequest
from storage import errors
from storage.errors import InvalidURL, NewskeepError, UsageError
from storage.model import Outcome

_log = logging.getLogger(__name__)


def saved(
    request: SaveRequest,
    on_start: Callable[[Callable[[], None]], None] = lambda stop: None,
    processes: SaveProcesses = OURS,
) -> Generator[Outcome, None, None]:
    """Fetch and archive; yield each outcome once what it tells is durable.

    At the end of the iteration all is in the archive and its index. Where it is left before, the process stops in good
    order; `on_start` is given what stops it so from another thread. Raises what the command would end with:
    `ConfigError`, `StoreUnavailable` and others. `processes` are those of a program, unless the caller has some.
    """
    with _worker(request, processes) as process:
        on_start(process.stdin.close)
        for line in process.stdout:
            answer = json.loads(line)
            if "end" in answer:
                _raise_error(answer["end"])
                return
            yield parse_outcome(answer["outcome"])
        code = process.wait()
    raise NewskeepError(f"the process that saves ended early ({_how(code)}); what was told is kept")


@contextmanager
def _worker(request: SaveRequest, processes: SaveProcesses) -> Iterator[SaveProcess]:
    with _temporary() as told:
        process = processes.start(told)
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(request.to_json().encode() + b"\n")
                process.stdin.flush()
            yield process
        finally:
            # The end of its input stops it where it has not ended; what it says until then nobody reads.
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
            process.stdout.close()
            _hand_on(told)


def _temporary() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        said = f"no temporary file can be made ({in_words(error)})"
        raise NewskeepError(f"{said}; TMPDIR names a folder for them") from error


def _hand_on(told: IO[bytes]) -> None:
    """Log what the process said to a person."""
    told.seek(0)
    for line in told.read().decode(errors="replace").splitlines():
        _log.warning("%s", line)


def _raise_error(end: dict[str, Any]) -> None:
    if "error" not in end:
        return
    kind = getattr(errors, end["error"], NewskeepError)
    # It would take the address apart once more.
    raise (UsageError if kind is InvalidURL else kind)(end["message"])


def _how(code: int | None) -> str:
    if code is None:
        return "nobody can tell with what"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
