"""User names and passwords in the addresses that a spider asks for."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote, urlsplit, urlunsplit

from scrapy import Request


class UserInfoMiddleware:
    """Moves a user name and password out of an address into the Authorization field, as browsers do.

    An address is recorded, logged and told; the field's value is not. It does not go along to another server.
    """

    def process_request(self, request: Request) -> Request | None:
        parts = urlsplit(request.url)
        info, mark, place = parts.netloc.rpartition("@")
        if not mark:
            return None
        user, _, password = info.partition(":")
        bare = request.replace(url=urlunsplit(parts._replace(netloc=place)))
        if info:
            pair = b64encode(f"{unquote(user)}:{unquote(password)}".encode())
            bare.headers.setdefault("Authorization", b"Basic " + pair)
        return bare
