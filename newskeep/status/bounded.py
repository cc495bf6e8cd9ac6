"""Questions to servers that may not answer: how long they are waited for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from storage.errors import StoreUnavailable

T = TypeVar("T")


def bounded(call: Callable[[], T], seconds: float, what: str) -> T:
    """Return what `call` does. Raises what it raises, and `StoreUnavailable` where `what` takes longer.

    One that takes longer goes on in a thread that does not outlive the process.
    """
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(call())
        except BaseException as error:
            failure.append(error)

    thread = Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not answer:
        raise StoreUnavailable(f"{what}: no answer within {seconds:g} s")
    return answer[0]
