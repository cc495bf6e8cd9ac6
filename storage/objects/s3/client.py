"""One bucket, asked through boto3; the only user of boto3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from storage.errors import NewskeepError, ObjectMissing
from storage.objects.s3.errors import S3Error, translated
from storage.objects.s3.patience import bound_silence, is_silence
from storage.objects.s3.settings import S3Settings
from storage.objects.traffic import Meter

#: What a body that breaks while it is read raises; urllib3's own where botocore does not wrap them.
BROKEN = (BotoCoreError, HTTPError, OSError)


class Bucket:
    """Requests about one bucket, counted; made before there are threads, it may be shared by them.

    Methods raise `S3Error`; `errors` turns it into the project's own.
    """

    def __init__(self, name: str, settings: S3Settings, meter: Meter) -> None:
        self.name = name
        self.endpoint = "S3"
        with self.errors():
            self._client = _make_client(settings)
        self.endpoint = _without_userinfo(self._client.meta.endpoint_url)
        self._client.meta.events.register("before-send.s3", lambda **_: meter.add(requests=1))
        self._proven = False

    def call(self, operation: str, **parameters: object) -> dict[str, Any]:
        """Carry out boto3's `operation` on the bucket and return the reply."""
        with _failures():
            reply: dict[str, Any] = getattr(self._client, operation)(Bucket=self.name, **parameters)
        return reply

    def pages(self, operation: str, field: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield the entries in `field` of all replies to a listing."""
        pages = self._client.get_paginator(operation).paginate(Bucket=self.name, Prefix=prefix)
        with _failures():
            for page in pages:
                yield from page.get(field, ())

    def head(self, key: str) -> dict[str, Any] | None:
        """Return what is told of an object, `None` when there is none."""
        try:
            return self.call("head_object", Key=key)
        except S3Error as error:
            if error.status == 404 and self._proven:
                return None
            if not error.answered:
                raise
        # The reply to a HEAD cannot say what is wrong; that to a listing does, and tells boto3 the bucket's region.
        self.prove(key)
        try:
            return self.call("head_object", Key=key)
        except S3Error as error:
            if error.status == 404:
                return None
            raise

    def prove(self, prefix: str) -> None:
        """Raise unless the bucket is there and may be listed."""
        self.call("list_objects_v2", Prefix=prefix, MaxKeys=1)
        self._proven = True

    def address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    @contextmanager
    def errors(self, key: str = "") -> Iterator[None]:
        """Translate `S3Error` to one line about the object, or about the bucket without a key."""
        try:
            yield
        except S3Error as error:
            raise self._translated(error, key) from error

    def close(self) -> None:
        self._client.close()

    def _translated(self, error: S3Error, key: str) -> NewskeepError:
        if key and "NoSuchKey" in error.names:
            return ObjectMissing(f"{self.address(key)}: no such object")
        return translated(error, self.address(key).rstrip("/"), self.endpoint)


def _make_client(settings: S3Settings) -> Any:
    s3: Any = {
        "addressing_style": settings.addressing,
        # The digest of each body in its signature, which every server checks; boto3 leaves it out over https.
        "payload_signing_enabled": True,
    }
    config = Config(
        signature_version="s3v4",
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.connections,
        retries={"mode": "standard", "total_max_attempts": settings.attempts},
        request_checksum_calculation=settings.checksums,
        response_checksum_validation=settings.checksums,
        s3=s3,
    )
    with _failures(value_error="InvalidEndpoint"):
        session = boto3.Session(profile_name=settings.profile)
        # A signature names a region. Services that have none take AWS's first one; AWS tells boto3 the right one.
        region = settings.region or session.region_name or "us-east-1"
        client = session.client("s3", region, endpoint_url=settings.endpoint, config=config)
    bound_silence(client, settings.read_timeout)
    return client


@contextmanager
def _failures(value_error: str = "ResponseParserError") -> Iterator[None]:
    """Turn what boto3 raises into `S3Error`; a bare ValueError is mostly a reply with a field that makes no sense."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        raise S3Error((str(error.response.get("Error", {}).get("Code", status)),), status) from error
    except (BotoCoreError, ResponseParserError, HTTPError, OSError, RecursionError) as error:
        if _is_recursion(error):
            # botocore asks a server that redirects everything for the bucket's region, and again, and again.
            raise S3Error(("RedirectLoop",), 301) from error
        kind = ReadTimeoutError if is_silence(error) else type(error)
        raise S3Error(tuple(base.__name__ for base in kind.__mro__)) from error
    except ValueError as error:
        raise S3Error((value_error,)) from error


def _is_recursion(error: BaseException) -> bool:
    """Whether an error, or one that it stands for, is that the stack is full; botocore may wrap it at its depth."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, RecursionError) or "recursion depth" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
