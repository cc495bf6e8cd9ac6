"""A log-in as data: what a table `[sites.NAME.login]` says, what is sent, and whether an answer lets us in; no I/O.

    [sites.example.login]
    url = "https://www.example.org/login"      # the page with the form
    user = "jane@mail.example"
    password = "${EXAMPLE_PASSWORD}"

With `token` it is an interface of JSON: the fields go to `url` as an object, and the token of the answer at that path
("data.access_token") is sent with every request, as `header` says.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import html
from lxml.etree import LxmlError

from storage.errors import ConfigError, InvalidURL
from storage.urls import normalize

#: What stands for the token in `header`.
_PLACE = "{token}"
_DEFAULT_HEADER = f"Authorization: Bearer {_PLACE}"
#: Names of the fields of a JSON log-in for `user` and `password`.
_USER, _PASSWORD = "username", "password"
_KEYS = ("url", "user", "password", "fields", "token", "header", "logged_in")
#: Kinds of inputs that a user name is written into.
_NAME_KINDS = ("text", "email", "tel", "search")


class LoginRefused(Exception):
    """Why we are not logged in; the message is for a person and shows no secret."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in. References in it are resolved by `resolved`; a secret shows in no `repr`."""

    url: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    #: Further fields of the form or object, by name; they go before what the form has.
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    #: Where the answer has the token: names, with dots between.
    token: str | None = None
    #: The field that the token is sent in.
    header: str = _DEFAULT_HEADER
    #: A regular expression that the page after the log-in matches, if it let us in.
    logged_in: str | None = None

    def map(self, change: Callable[[str, str], str]) -> Login:
        """The same with each text that may be or hold a secret changed; `change` gets its name as well."""
        return replace(
            self,
            user=None if self.user is None else change("user", self.user),
            password=None if self.password is None else change("password", self.password),
            fields=tuple((name, change(name, value)) for name, value in self.fields),
        )

    def secrets(self) -> Iterator[str]:
        """What must not be repeated: the password, and of the other fields what can only be secrets."""
        if self.password:
            yield self.password
        yield from (value for _, value in self.fields if len(value) >= 16 and not value.isalpha())

    @property
    def place(self) -> str:
        """The address as it may be shown."""
        return self.url.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is to be sent to log in, by POST."""

    url: str
    content_type: str
    body: bytes = field(repr=False)


def read_login(value: object) -> Login:
    """Return the log-in that a table declares. Raises `ConfigError`, which shows no value."""
    if not isinstance(value, Mapping):
        raise ConfigError("must be a table with url, user and password")
    for key in value:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), _KEYS, 1)
            raise ConfigError(f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    given = dict(value)
    fields = given.pop("fields", {})
    if not isinstance(fields, Mapping) or not all(isinstance(each, str) for each in fields.values()):
        raise ConfigError("fields must be a table of texts")
    for key, text in given.items():
        if not isinstance(text, str) or not text:
            raise ConfigError(f"{key} must be a text")
    login = Login(**{**given, "url": _url(given.get("url")), "fields": tuple(fields.items())})
    _check(login)
    return login


def _url(given: object) -> str:
    if not isinstance(given, str):
        raise ConfigError("needs a url: the page with the form")
    try:
        return normalize(given)
    except InvalidURL as error:
        raise ConfigError(f"url: {error}") from None


def _check(login: Login) -> None:
    if not (login.password or login.fields):
        raise ConfigError("needs user and password, or fields")
    name, colon, _ = login.header.partition(":")
    if not colon or not name.strip() or _PLACE not in login.header:
        raise ConfigError(f"header must be like {_DEFAULT_HEADER!r}")
    if login.logged_in is not None:
        try:
            re.compile(login.logged_in)
        except re.error as error:
            raise ConfigError(f"logged_in must be a regular expression ({error})") from None


def json_submission(login: Login) -> Submission:
    """The object that a log-in for a token sends."""
    named = {_USER: login.user, _PASSWORD: login.password}
    content = {name: value for name, value in named.items() if value is not None} | dict(login.fields)
    return Submission(login.url, "application/json", json.dumps(content).encode())


def form_submission(login: Login, page: bytes, url: str) -> Submission:
    """The form of a page, filled in: with what it holds itself (tokens against forgery, ticked boxes) and ours.

    `url` is where the page came from. Raises `LoginRefused`.
    """
    form = _form(page)
    if form is None:
        if login.user is None and login.password is None:
            # No form is needed where all fields are named.
            return _submission(url, list(login.fields))
        raise LoginRefused(f"no form with a password in it at {login.place}; `fields` names those that are sent")
    action = urljoin(url, (form.get("action") or "").strip() or url)
    if (form.get("method") or "get").lower() != "post":
        raise LoginRefused("the form would put the password into an address (method GET)")
    if urlsplit(action).scheme != "https" and urlsplit(url).scheme == "https":
        raise LoginRefused("the form would send the password without TLS")
    try:
        return _submission(normalize(action), _filled(form, login))
    except InvalidURL as error:
        raise LoginRefused(f"the form leads to an address that {error.reason}") from None


def token_of(login: Login, answer: bytes) -> tuple[str, str]:
    """The name and value of the field to send from now on. Raises `LoginRefused`."""
    try:
        found: Any = json.loads(answer)
    except (ValueError, RecursionError):
        raise LoginRefused("the answer is no JSON") from None
    for name in (login.token or "").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str) or not re.fullmatch(r"[\x21-\x7e]+", found):
        raise LoginRefused(f"the answer has no {login.token}")
    name, _, value = login.header.partition(":")
    return name.strip(), value.strip().replace(_PLACE, found)


def _form(page: bytes) -> html.FormElement | None:
    try:
        forms = html.document_fromstring(page).iter("form") if page.strip() else ()
    except (LxmlError, ValueError):
        return None
    return next(
        (form for form in forms if form.xpath(".//input[translate(@type,'PASWORD','pasword')='password']")), None
    )


def _filled(form: html.FormElement, login: Login) -> list[tuple[str, str]]:
    named = dict(login.fields)
    inputs = [each for each in form.xpath(".//input") if each.get("name")]
    kinds = [(each.get("type") or "text").lower() for each in inputs]
    at = kinds.index("password") if "password" in kinds else len(kinds)
    if login.password is not None and at < len(inputs):
        named.setdefault(inputs[at].get("name"), login.password)
    if login.user is not None:
        users = [each.get("name") for each, kind in zip(inputs[:at], kinds, strict=False) if kind in _NAME_KINDS]
        if not users:
            raise LoginRefused("the form has no field for a user name before the password; `fields` names it")
        named.setdefault(users[-1], login.user)
    values = [(name, value) for name, value in form.form_values() if name not in named]
    button = next(
        iter(form.xpath(".//button[@name][not(@type) or @type='submit'] | .//input[@type='submit'][@name]")), None
    )
    if button is not None and button.get("name") not in named:
        # As browsers do when somebody types Enter.
        values.append((button.get("name"), button.get("value") or ""))
    return [*values, *named.items()]


def _submission(url: str, fields: list[tuple[str, str]]) -> Submission:
    return Submission(url, "application/x-www-form-urlencoded", urlencode(fields).encode())
