"""The signals of a record: as the recorder wrote them down, or read from the answer where nobody did."""

from __future__ import annotations

from collections.abc import Callable

from storage.rights.signal import Signal, unpack

#: Our field of a response: what it says of its use, "[]" for nothing. A revisit has what the body says that it repeats.
RIGHTS = "Newskeep-Rights"


def signals_of(field: Callable[[str], str | None], response: Callable[[], bytes]) -> tuple[Signal, ...]:
    """The signals of a record with these fields.

    Records of older versions and of others have no such field: of them the answer is read.
    """
    written = field(RIGHTS)
    if written is not None:
        return unpack(written)
    # On use: few who read records need what reads pages.
    from storage.rights.page import signals

    return signals(response())
