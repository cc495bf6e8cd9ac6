"""A network of this test alone: machines as network namespaces, each on a cable to a switch that may be pulled out.

    with Network() as network:                  # from here on this thread, and what it starts, is the server
        worker = network.machine()
        subprocess.Popen([*worker.inside, "curl", f"http://{SERVER}:8000/"])
        worker.pull()                           # nothing comes through, either way, and nobody is told
        worker.plug_in()

Nothing of it reaches another network. Root alone may make one: everybody else's test is skipped, with the reason.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

#: The server's address, and the network of addresses that it has as well, so that there may be many hosts.
SERVER, HOSTS = "10.77.0.1", "10.78.0.0/16"
_NEW_NETWORK = 0x4000_0000  # CLONE_NEWNET
_OURS = Path("/proc/thread-self/ns/net")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Machine:
    """One namespace; `inside` begins a command that is to run there."""

    address: str
    inside: tuple[str, ...]
    #: The end of its cable at the switch.
    port: str

    def pull(self) -> None:
        """Cut it off: connections stay as they are at both ends, without FIN or RST."""
        _ip("link", "set", self.port, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self.port, "up")


class Network:
    """For use by the thread that makes it."""

    def __init__(self) -> None:
        self._ending = ExitStack()
        self._number = 1

    def __enter__(self) -> Self:
        before = os.open(_OURS, os.O_RDONLY)
        self._ending.callback(os.close, before)
        if _libc.unshare(_NEW_NETWORK):
            self._ending.close()
            pytest.skip(f"network namespaces are for root ({os.strerror(ctypes.get_errno())})")
        self._ending.callback(_libc.setns, before, _NEW_NETWORK)
        try:
            _ip("link", "set", "lo", "up")
            _ip("link", "add", "switch", "type", "bridge")
            _ip("address", "add", f"{SERVER}/16", "dev", "switch")
            _ip("link", "set", "switch", "up")
            _ip("route", "add", "local", HOSTS, "dev", "lo")
        except (OSError, subprocess.CalledProcessError) as error:
            self._ending.close()
            pytest.skip(f"no bridge can be made here ({error})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def machine(self) -> Machine:
        """Add a machine, which reaches the server."""
        self._number += 1
        ours = _OURS.readlink()
        # The namespace lives as long as a process in it.
        keeper = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
        self._ending.callback(keeper.wait)
        self._ending.callback(keeper.kill)
        while Path(f"/proc/{keeper.pid}/ns/net").readlink() == ours:
            assert keeper.poll() is None, "no namespace could be made"
            time.sleep(0.01)
        made = Machine(
            f"10.77.0.{self._number}", ("nsenter", f"--net=/proc/{keeper.pid}/ns/net"), f"port{self._number}"
        )
        _ip("link", "add", made.port, "type", "veth", "peer", "name", "cable", "netns", str(keeper.pid))
        _ip("link", "set", made.port, "master", "switch", "up")
        for command in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{made.address}/16", "dev", "cable"),
            ("link", "set", "cable", "up"),
            ("route", "add", "default", "via", SERVER),
        ):
            _ip(*command, inside=made.inside)
        return made


def _ip(*arguments: str, inside: tuple[str, ...] = ()) -> None:
    subprocess.run([*inside, "ip", *arguments], check=True, capture_output=True)
