"""Ports of loopback that stay ours, for servers that are told theirs and for addresses where nobody listens.

A port that was found and let go may be somebody else's before its server has begun.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """Yield a port of 127.0.0.1 where nobody listens until somebody does who was told it.

    While the block runs, Linux gives it to none who asks for any port, neither to listen nor to connect from. One who
    names it may bind it, with SO_REUSEADDR, which servers set.
    """
    with socket.socket() as holding:
        holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holding.bind(("127.0.0.1", 0))
        yield int(holding.getsockname()[1])


def listens(port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
