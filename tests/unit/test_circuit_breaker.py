"""A store that was away just now is not asked again by the same run, and by the next one it is."""

from __future__ import annotations

import pytest

from storage.errors import SpoolError, StoreUnavailable
from storage.objects.circuit_breaker import CircuitBreaker


def fails(breaker: CircuitBreaker, error: StoreUnavailable) -> None:
    with pytest.raises(type(error)), breaker.noticed():
        raise error


def asks(breaker: CircuitBreaker) -> bool:
    try:
        with breaker.noticed():
            return True
    except StoreUnavailable:
        return False


def test_a_run_takes_over_what_the_look_before_it_noticed() -> None:
    looked = CircuitBreaker()
    fails(looked, StoreUnavailable("away"))
    run = looked.handed_over()
    with pytest.raises(StoreUnavailable, match="away"), run.noticed():
        pass
    assert asks(looked.handed_over()), "the next run looks for itself"


def test_it_is_asked_again_after_the_pause() -> None:
    breaker = CircuitBreaker(pause=0)
    fails(breaker, StoreUnavailable("away"))
    assert asks(breaker)


def test_a_spool_that_cannot_be_written_says_nothing_of_the_store() -> None:
    breaker = CircuitBreaker()
    fails(breaker, SpoolError("full"))
    assert asks(breaker)
