"""A local nginx that serves a folder of pages from many loopback addresses: a server that costs next to nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_CONFIGURATION = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    default_type text/html;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        {listen}
        root {root};
    }}
}}
"""
_START_SECONDS = 20


@contextmanager
def nginx(root: Path, folder: Path, hosts: Sequence[str]) -> Iterator[int]:
    """Serve `root` from each of `hosts`, and yield the port; `folder` is for what the server writes."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise SystemExit("nginx is not installed (Debian: apt-get install nginx-light)")
    port = _free_port(hosts)
    configuration = folder / "nginx.conf"
    listen = "\n        ".join(f"listen {host}:{port};" for host in hosts)
    # Root's workers become nobody, who may not read our folder.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(_CONFIGURATION.format(user=user, folder=folder, root=root, listen=listen))
    server = subprocess.Popen([program, "-e", f"{folder}/error.log", "-c", str(configuration)])
    try:
        _wait_for(hosts[-1], port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _free_port(hosts: Sequence[str]) -> int:
    """A port that is free on all addresses."""
    while True:
        with socket.socket() as first:
            first.bind((hosts[0], 0))
            port: int = first.getsockname()[1]
            with suppress(OSError):
                for host in hosts[1:]:
                    with socket.socket() as other:
                        other.bind((host, port))
                return port


def _wait_for(host: str, port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("nginx did not start")
