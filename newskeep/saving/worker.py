"""The process that saves, forked or started (`python -P -m newskeep.saving.worker`) by `newskeep.saving.processes`.

A line of JSON on standard input is the request, and its end the sign to stop: who asked is gone, or wants no more.
Lines of JSON on standard output are `{"outcome": …}` for each URL, once that is durable, then `{"end": …}`.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from crawler.config import load
from crawler.run import Crawl, RunResult, check_network, run
from crawler.session.report import outcome_json
from newskeep.saving.pipe import Tell, answers, first_line, stop_at_end
from newskeep.saving.request import SaveRequest
from newskeep.saving.store_check import look
from storage import open_archive
from storage.errors import NewskeepError

_log = logging.getLogger("newskeep")


def main() -> None:
    request = SaveRequest.parse(first_line(sys.stdin.fileno()))
    with answers() as tell:
        threading.Thread(target=stop_at_end, args=(sys.stdin.fileno(),), daemon=True).start()
        try:
            end = _end(_save(request, tell))
        except NewskeepError as error:
            end = _error(error)
        except KeyboardInterrupt:
            end = _error(NewskeepError("stopped before the first request"))
        # All is done: who asked may close the pipe now.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        tell({"end": end})


def _save(request: SaveRequest, tell: Tell) -> RunResult:
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    for theirs in ("scrapy", "twisted", "trafilatura", "asyncio", "py.warnings", "warcio"):
        # What goes wrong with a request is its outcome.
        logging.getLogger(theirs).setLevel(logging.CRITICAL)
    config = load(Path(request.config) if request.config else None)
    config = replace(config, **{**request.given, "archive": request.archive, "state": request.state})
    check_network(config)
    arguments = {"urls": request.urls, "requisites": request.requisites, "newer_than": request.newer_than}
    with open_archive(config.archive, config.state, config.lock, config.shared_index) as archive:
        if (said := look(archive)) is not None:
            _log.warning("%s", said)
        settings = {**config.scrapy_settings(), "ASKED_BY": request.asked_by}
        return run(archive, [Crawl("urls", arguments)], settings, lambda each: tell({"outcome": outcome_json(each)}))


def _end(result: RunResult) -> dict[str, Any]:
    if result.failure is not None:
        return _error(result.failure)
    if result.stopped:
        return _error(NewskeepError(f"crawl {result.crawl} was stopped before the end; what was told is kept"))
    return {"crawl": result.crawl}


def _error(error: NewskeepError) -> dict[str, Any]:
    return {"error": type(error).__name__, "message": str(error)}


if __name__ == "__main__":
    main()
