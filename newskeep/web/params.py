"""Parameters from outside, read and checked: each error names the parameter and says what it may be."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request

from newskeep.site_hosts import site_hosts
from newskeep.web.options import ServeOptions
from storage.annotations import parse_tag
from storage.errors import UsageError
from storage.urls import Pad, parse_timestamp

S = TypeVar("S", bound=str)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER = re.compile(r"-?\d{1,12}", re.ASCII)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class Params:
    """The query of a request. An empty parameter counts as absent; of a repeated one the last counts.

    Every method raises `UsageError`.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._query = request.query_params

    def text(self, *names: str, most: int = 8_000) -> str | None:
        """The first of these parameters that is there."""
        for name in names:
            if value := self._query.get(name):
                return _checked(name, value, most)
        return None

    def required(self, name: str, most: int = 8_000) -> str:
        value = self.text(name, most=most)
        if value is None:
            raise UsageError(f"{name} is missing")
        return value

    def every(self, name: str, most: int) -> list[str]:
        """All values of a parameter that may be repeated."""
        return [_checked(name, value, most) for value in self._query.getlist(name) if value]

    def integer(self, name: str, low: int, high: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        number = int(value) if _INTEGER.fullmatch(value) else None
        if number is None or not low <= number <= high:
            raise UsageError(f"{name} is a whole number from {low} to {high}")
        return number

    def time(self, *names: str, pad: Pad) -> datetime | None:
        value = self.text(*names, most=40)
        try:
            return None if value is None else parse_timestamp(value, pad)
        except UsageError as error:
            raise UsageError(f"{names[0]}: {error}") from None

    def site(self) -> str | None:
        """The parameter `site` as a host: it may be a site's name in newskeep.toml too."""
        value = self.text("site", most=300)
        if value is None or not value.strip():
            return None
        options: ServeOptions = self._request.app.state.options
        return next(iter(site_hosts(options.config, value.strip())), value.strip())

    def tag(self) -> str | None:
        """The parameter `tag`, in its form."""
        value = self.text("tag", most=300)
        try:
            return None if value is None or not value.strip() else parse_tag(value)
        except UsageError as error:
            raise UsageError(f"tag: {error}") from None

    def flag(self, name: str) -> bool:
        value = (self._query.get(name) or "").lower()
        if value not in _TRUE + _FALSE:
            raise UsageError(f"{name} is true or false")
        return value in _TRUE

    def choice(self, name: str, values: Collection[S]) -> S | None:
        value = self.text(name, most=100)
        if value is None:
            return None
        for each in values:
            if each == value:
                return each
        raise UsageError(f"{name} is one of {', '.join(values)}")


def _checked(name: str, value: str, most: int) -> str:
    if len(value) > most:
        raise UsageError(f"{name} is longer than {most:,} characters")
    if _CONTROL.search(value):
        raise UsageError(f"{name} has a control character in it")
    return value
