"""Saves in a process of its own: any number of times, from any thread, also inside a running event loop."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from crawler.session.report import parse_outcome
from newskeep.saving.request import SaveRequest
from storage import errors
from storage.errors import InvalidURL, NewskeepError, UsageError
from storage.model import Outcome

_log = logging.getLogger(__name__)

#: -P: a file called "crawler.py" in the current folder must not be taken for ours.
_COMMAND = (sys.executable, "-P", "-m", "newskeep.saving.worker")


def saved(
    request: SaveRequest, on_start: Callable[[Callable[[], None]], None] = lambda stop: None
) -> Generator[Outcome, None, None]:
    """Fetch and archive; yield each outcome once what it tells is durable.

    At the end of the iteration all is in the archive and its index. Where it is left before, the process stops in good
    order; `on_start` is given what stops it so from another thread. Raises what the command would end with:
    `ConfigError`, `StoreUnavailable` and others.
    """
    with _worker(request) as process:
        assert process.stdout is not None and process.stdin is not None
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
def _worker(request: SaveRequest) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as told:
        try:
            process = subprocess.Popen(
                _COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
                # Ctrl-C is for us: what is under way is then ended in good order.
                start_new_session=True,
            )
        except OSError as error:
            raise NewskeepError(f"cannot start {sys.executable}: {error.strerror}") from error
        assert process.stdin is not None
        with process:
            try:
                with suppress(BrokenPipeError):
                    process.stdin.write(request.to_json().encode() + b"\n")
                    process.stdin.flush()
                yield process
            finally:
                # The end of its input stops it where it has not ended.
                with suppress(BrokenPipeError):
                    process.stdin.close()
                process.wait()
                _hand_on(told)


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


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
