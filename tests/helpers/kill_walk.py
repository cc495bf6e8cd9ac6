"""Runs crawls into one archive, each killed one step later than the one before, until one comes to its end.

    python kill_walk.py WALK URI STATE

A step is anything that others could see: a file made, renamed or removed below STATE or the archive, a commit; with a
bucket, a request or a commit. Nothing of ours is replaced: the interpreter tells of them itself (PEP 578), SQLAlchemy
of commits.
WALK is "crawl" (counts from the first record on; each crawl recovers what the one before left) or "recovery" (crawls
are killed between close and rename; who recovers them is killed as well). Prints the URLs that were told, a line each,
and at the end the number of steps.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.session
from promises import answer, page
from s3_server import shared_loader
from sqlalchemy import Engine, event

from crawler.session.page_extraction import extract_response
from crawler.session.session import Session, SessionOptions
from storage import open_archive
from storage.model import Exchange, Outcome

KILLED = 9
FILES = {"os.rename": 1, "os.remove": 0, "os.link": 1, "os.mkdir": 0, "os.rmdir": 0, "os.truncate": 0, "open": 0}


class Steps:
    """Counts the steps of this process and ends it before one of them."""

    def __init__(self, *roots: str, files: bool) -> None:
        """`files`: whether those below the `roots` count, too."""
        self._roots = roots
        self._files = files
        self._left = 0
        self._only = ""
        sys.addaudithook(self._hook)
        event.listen(Engine, "commit", lambda _: self._hook("commit", ()))

    def kill_at(self, step: int, only: str = "") -> None:
        """Kill at a step counted from now, at one of the kind `only` if given."""
        self._left, self._only = step, only

    def _hook(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self._left and self._counts(name, arguments) and (not self._only or self._only == name):
            self._left -= 1
            if not self._left:
                os._exit(KILLED)

    def _counts(self, name: str, arguments: tuple[Any, ...]) -> bool:
        if name == "commit":
            return True
        if name == "http.client.send":
            # Of a request the head; its body is another call.
            return bytes(arguments[1][:1]).isalpha()
        if not (self._files or self._only):
            return False
        if name == "open" and not (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            return False
        path = arguments[FILES[name]] if name in FILES else None
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._roots)


def exchange(url: str) -> Exchange:
    path = url.removeprefix("http://news.example")
    request = f"GET {path} HTTP/1.1\r\nHost: news.example\r\n\r\n".encode()
    return Exchange(url, datetime.now(UTC), request, answer(page(path), "text/html"))


async def keep(session: Session, urls: list[str]) -> None:
    for url in urls:
        recorded = await session.record(exchange(url))
        assert recorded.capture is not None
        # What a worker would do; to start one for each crawl takes long.
        extraction = extract_response(recorded.exchange.response, url, recorded.capture.timestamp, 1 << 20)
        recorded.warc.add_article(recorded.capture.offset, extraction)
        await session.report(Outcome(url, "archived"))


def tell(outcome: Outcome) -> None:
    os.write(1, outcome.url.encode() + b"\n")


def in_child(work: Callable[..., None], *arguments: object) -> bool:
    """Do it in a process of its own; return whether it came to its end."""
    child = os.fork()
    if not child:
        try:
            work(*arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, KILLED):
        sys.exit(code or 1)
    return code == 0


def crawl(uri: str, state: str, steps: Steps, step: int, only: str, urls: list[str]) -> None:
    session = started(uri, state)
    steps.kill_at(step, only)
    asyncio.run(keep(session, urls))
    session.close()
    assert session.failure is None, session.failure


def recover(uri: str, state: str, steps: Steps, step: int) -> None:
    steps.kill_at(step)
    started(uri, state).close()


def started(uri: str, state: str) -> Session:
    session = Session(open_archive(uri, state), SessionOptions("newskeep-test", workers=1), tell)
    assert session.failure is None, session.failure
    return session


def main() -> None:
    walk, uri, state = sys.argv[1:]
    steps = Steps(uri, state, files=not uri.startswith("s3:"))
    # What takes long is then done in all children: boto3 reads a megabyte of JSON, extraction imports a lot.
    botocore.session.create_loader = shared_loader
    open_archive(uri, state).close()
    extract_response(answer(page("/"), "text/html"), "http://news.example/", datetime.now(UTC), 1 << 20)
    step, done = 0, False
    while not done:
        step += 1
        urls = [f"http://news.example/{step}/{number}" for number in range(2)]
        if walk == "crawl":
            done = in_child(crawl, uri, state, steps, step, "", urls)
        else:
            # To close is what renames the WARC.
            in_child(crawl, uri, state, steps, 1, "os.rename", urls)
            done = in_child(recover, uri, state, steps, step)
    print(step)


if __name__ == "__main__":
    main()
