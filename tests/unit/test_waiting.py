"""What the tests themselves stand on: ports that nobody takes, and waiting."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from live_processes import is_alive
from ports import held_port, listens
from waiting import until


def test_a_held_port_is_nobodys_until_it_is_named() -> None:
    with held_port() as port:
        others = [socket.create_server(("127.0.0.1", 0)) for _ in range(200)]
        assert port not in [each.getsockname()[1] for each in others]
        for each in others:
            each.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 120)
        with socket.create_server(("127.0.0.1", port)):
            assert listens(port)
        assert not listens(port)


def test_what_is_hopeless_is_waited_for_no_longer() -> None:
    looks = iter([0, 0, 3])
    assert until(lambda: next(looks)) == 3
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(AssertionError, match="ended with 3"):
        until(lambda: False, unless=lambda: process.poll() is not None and f"ended with {process.returncode}")
    # Its last words count.
    assert until(lambda: process.poll() == 3, unless=lambda: "it has ended")
    assert is_alive(os.getpid()) and not is_alive(process.pid)
