"""Real S3 servers for tests: OpenStack Swift with its S3 API, and moto with its access checks on.

Each runs in processes of its own on loopback ports of its own. Swift checks signatures, clocks and digests, but its
conditional put has a race; moto believes any checksum, but lets exactly one conditional put win.

`pytest_plugins = ["s3_server"]` in a test module gives it the session's `swift_server` and `moto_server`.
Nothing is asserted here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import functools
import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3
import botocore.session
import pytest
from botocore.config import Config
from foreign_venvs import environment, moved_clock
from ports import held_port
from servers import running

#: Swift wants an old-fashioned world, so it gets a virtual environment of its own. All of these come as wheels.
SWIFT_PACKAGES = ("swift==2.38.3", "pyeclib==1.8.0", "eventlet==0.41.3", "setuptools<81")
REGION = "us-east-1"
#: There on every server from the start.
BUCKET = "newskeep"
#: Entries on a page of moto's listings; few, so that every longer listing in the tests takes several.
MOTO_PAGE = 10


shared_loader = functools.cache(botocore.session.create_loader)


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server and a user of it who may do everything."""

    endpoint: str
    access_key: str
    secret_key: str
    #: Somebody with valid keys and no rights at all.
    stranger: tuple[str, str]

    @property
    def port(self) -> int:
        return int(self.endpoint.rpartition(":")[2])

    def client(self, service: Literal["s3", "iam"] = "s3") -> Any:
        """Return plain boto3, to arrange things behind the back of what is tested."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


def use(server: S3Server, monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> None:
    """Let boto3 find the server the way it finds any: by AWS's variables, and by nothing else."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "NEWSKEEP_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_S3": endpoint or server.endpoint,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
    }.items():
        monkeypatch.setenv(name, value)
    # boto3 reads a megabyte of JSON for every client, and the tests make hundreds.
    monkeypatch.setattr(botocore.session, "create_loader", shared_loader)


@pytest.fixture(scope="session")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@contextmanager
def swift(folder: Path) -> Iterator[S3Server]:
    """Run a one-node Swift that keeps its objects under `folder`, whose file system must have user attributes."""
    try:
        os.setxattr(folder, "user.newskeep", b"1")
    except OSError as error:
        raise RuntimeError(f"Swift needs a file system with user attributes; {folder} has none: {error}") from error
    # It refuses signatures of another time than its own.
    programs = environment("swift", (*SWIFT_PACKAGES, *moved_clock()), "--only-binary", ":all:") / "bin"
    with ExitStack() as stack:
        ports = {name: stack.enter_context(held_port()) for name in ("proxy", "account", "container", "object")}
        for name, text in _swift_configuration(folder, ports).items():
            (folder / name).write_text(text)
        for name in ("disk/d1", "cache"):
            (folder / name).mkdir(parents=True)
        told = (f"{name}={port}" for name, port in ports.items())
        command = [str(programs / "python"), "-c", SERVERS, str(folder), *told]
        stack.enter_context(running(command, ports["proxy"], folder / "swift.log", also=ports.values()))
        yield _with_bucket(
            S3Server(f"http://127.0.0.1:{ports['proxy']}", "test:tester", "testing", ("test:stranger", "strange"))
        )


@contextmanager
def moto(folder: Path, listen: str = "127.0.0.1") -> Iterator[S3Server]:
    """Run moto's server with its access checks on; it listens on the addresses `listen`, of loopback at least."""
    # This many first requests need no rights: those that make the users.
    variables = {
        **os.environ,
        "AWS_DEFAULT_REGION": REGION,
        "INITIAL_NO_AUTH_ACTION_COUNT": "5",
        "MOTO_S3_DEFAULT_MAX_KEYS": str(MOTO_PAGE),
    }
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", listen, "-p"]
    with held_port() as port, running([*command, str(port)], port, folder / "moto.log", variables):
        endpoint = f"http://127.0.0.1:{port}"
        iam = S3Server(endpoint, "anybody", "anything", ("", "")).client("iam")
        keys = []
        for user in ("tester", "stranger"):
            iam.create_user(UserName=user)
            key = iam.create_access_key(UserName=user)["AccessKey"]
            keys.append((key["AccessKeyId"], key["SecretAccessKey"]))
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="tester", PolicyName="all", PolicyDocument=json.dumps(allowed))
        iam.close()
        yield _with_bucket(S3Server(endpoint, *keys[0], stranger=keys[1]))


def _with_bucket(server: S3Server) -> S3Server:
    client = server.client()
    client.create_bucket(Bucket=BUCKET)
    client.close()
    return server


def _swift_configuration(folder: Path, ports: dict[str, int]) -> dict[str, str]:
    common = "\n".join(
        [
            "[DEFAULT]",
            "bind_ip = 127.0.0.1",
            "workers = 0",
            f"swift_dir = {folder}",
            f"user = {getpass.getuser()}",
            "log_level = WARNING",
            "bind_port = ",
        ]
    )
    storage = STORAGE.format(folder=folder)
    files = {
        f"{name}.conf": f"{common}{ports[name]}\n" + storage.replace("SERVER", name)
        for name in ("account", "container", "object")
    }
    return {**files, "proxy.conf": f"{common}{ports['proxy']}\n{PROXY}", "swift.conf": SWIFT}


SWIFT = """
[swift-hash]
swift_hash_path_prefix = newskeep
swift_hash_path_suffix = tests
[storage-policy:0]
name = only
default = yes
[swift-constraints]
max_header_size = 16384
"""

STORAGE = """
devices = {folder}/disk
mount_check = false
disable_fallocate = true
recon_cache_path = {folder}/cache
container_update_timeout = 30
[pipeline:main]
pipeline = SERVER-server
[app:SERVER-server]
use = egg:swift#SERVER
"""

PROXY = f"""
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = __main__:cached
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = {REGION}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test_stranger = strange
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""

#: Run by Swift's Python: reads Swift once for its four servers, tells them which one keeps what, here one disk for
#: everything, and stands in for memcached, without which Swift looks for account and bucket anew at each request.
SERVERS = """
import json, os, signal, sys, time
from importlib import import_module
from swift.common.ring import RingBuilder

class Cache:
    kept = {}

    def get(self, key, raise_on_error=False):
        text, end = self.kept.get(key, ("null", 0))
        return json.loads(text) if time.monotonic() < end else None

    def set(self, key, value, time=0, **how):
        self.kept[key] = json.dumps(value), until(time)

    def delete(self, key, server_key=None):
        self.kept.pop(key, None)

def until(seconds):
    return time.monotonic() + (seconds or 1e9)

def cached(global_conf, **conf):
    cache = Cache()

    def with_cache(app):
        def call(env, start_response):
            env["swift.cache"] = cache
            return app(env, start_response)
        return call
    return with_cache

folder, *servers = sys.argv[1:]
ports = dict(server.split("=") for server in servers)
modules = {name: import_module(f"swift.{'obj' if name == 'object' else name}.server") for name in ports}
for name in ports.keys() - {"proxy"}:
    ring = RingBuilder(4, 1, 0)
    port = int(ports[name])
    ring.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1",
                  "replication_port": port, "device": "d1", "weight": 1.0, "meta": ""})
    ring.rebalance()
    ring.get_ring().save(f"{folder}/{name}.ring.gz")

running = []
for name in ports:
    running.append(os.fork())
    if not running[-1]:
        sys.argv = [name, f"{folder}/{name}.conf"]
        sys.exit(modules[name].main())

def end(*_):
    for server in running:
        os.kill(server, signal.SIGTERM)
    os._exit(1)

signal.signal(signal.SIGTERM, end)
running.remove(os.wait()[0])
end()
"""
