"""What tables, files and references say of a subscription; the examples of the documents work."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.config import load
from crawler.sites.site import Site, load_sites
from crawler.subscriptions.cookie_files import read_cookies
from crawler.subscriptions.login import Login, LoginRefused, form_submission, json_submission, token_of
from crawler.subscriptions.references import resolve
from crawler.subscriptions.subscription import NamedHosts, Subscription
from storage.errors import ConfigError

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCKS = [
    block
    for page in ("subscriptions.md", "configuration.md")
    for block in re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    if "[sites." in block
]


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_of_the_documents(tmp_path: Path, block: str) -> None:
    (tmp_path / "newskeep.toml").write_text(block)
    (site,) = load_sites(load(tmp_path / "newskeep.toml", {})).values()
    assert site.cookies or site.headers or site.login


def declared(folder: Path, table: str) -> Site:
    (folder / "newskeep.toml").write_text(f'[sites.town]\nstart = "https://town.example/"\n{table}')
    (site,) = load_sites(load(folder / "newskeep.toml", {})).values()
    return site


def test_paths_begin_beside_the_configuration(tmp_path: Path) -> None:
    table = (
        'cookies = "a.txt"\nheaders = {X = "${file:b}"}\n'
        'login = {url = "https://t.example/", password = "${file:/c}"}\n'
    )
    site = declared(tmp_path, table)
    assert site.cookies == str(tmp_path / "a.txt")
    assert site.headers == (("X", f"${{file:{tmp_path / 'b'}}}"),)
    assert site.login is not None and site.login.password == "${file:/c}"
    assert "${file" not in repr(site)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("Bearer ${TOKEN}", "Bearer t0"),
        ("${TOKEN}${TOKEN}", "t0t0"),
        ("$${TOKEN}", "${TOKEN}"),
        ("a$b", "a$b"),
        ("${ TOKEN }", "t0"),
    ],
)
def test_references(text: str, value: str) -> None:
    assert resolve(text, "here", {"TOKEN": "t0"}) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("${NONE}", "here: the variable NONE is not set"),
        ("${EMPTY}", "here: the variable EMPTY is not set"),
        ("${se-cret!}", "here: ${…} holds the name of a variable, file:PATH or keyring:SERVICE:USER"),
        ("${LINES}", "here: has a line break or another control character in it"),
        ("${file:/none/at/all}", "here: cannot read /none/at/all: No such file or directory"),
        ("${keyring:alone}", "here: the keyring is asked by ${keyring:SERVICE:USER}"),
    ],
)
def test_references_that_lead_nowhere(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(text, "here", {"EMPTY": "", "LINES": "a\r\nSet-Cookie: b"})
    assert str(error.value) == told


def test_a_secret_in_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "secret"
    path.write_text("sesame & öpen\n")
    path.chmod(0o600)
    assert resolve(f"${{file:{path}}}", "here") == "sesame & öpen"
    assert caplog.messages == []
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        resolve(f"${{file:{path}}}", "here")
    assert caplog.messages == [f"{path}: others on this machine can read the secret in it; chmod 600 keeps them out"]


BACKEND = """
from keyring.backend import KeyringBackend

class Town(KeyringBackend):
    priority = 1

    def get_password(self, service, user):
        return {("town", "jane@mail"): "sesame"}.get((service, user))

    def set_password(self, service, user, password):
        raise NotImplementedError
"""


def test_a_secret_in_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    (tmp_path / "town_keyring.py").write_text(BACKEND)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.core.load_keyring("town_keyring.Town"))
    try:
        assert resolve("${keyring:town:jane@mail}", "here") == "sesame"
        with pytest.raises(ConfigError, match="the keyring has no password of john at town"):
            resolve("${keyring:town:john}", "here")
    finally:
        keyring.set_keyring(before)


NETSCAPE = """# Netscape HTTP Cookie File

.town.example\tTRUE\t/\tTRUE\t4102444800\tall\tone
#HttpOnly_www.town.example\tFALSE\t/news\tFALSE\t0\town\ttwo=2
town.example\tFALSE\t/\tFALSE\t1\told\tx
"""
AS_JSON = [
    {"name": "all", "value": "one", "domain": ".town.example", "secure": True, "expirationDate": 4102444800.5},
    {"name": "own", "value": "two=2", "domain": "www.town.example", "hostOnly": True, "path": "/news", "expires": -1},
    {"name": "old", "value": "x", "domain": "town.example", "expiry": 1},
]


@pytest.mark.parametrize("text", [NETSCAPE, json.dumps(AS_JSON), json.dumps({"cookies": AS_JSON, "origins": []})])
@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://www.town.example/news/a", {b"all=one", b"own=two=2"}),
        ("https://town.example/", {b"all=one"}),
        ("http://www.town.example/news", {b"own=two=2"}),
        ("https://www.town.example/newspaper", {b"all=one"}),
        ("https://a.www.town.example/news", {b"all=one"}),
        ("https://eviltown.example/news", set()),
        ("https://town.example.evil.example/news", set()),
    ],
)
def test_cookies_go_where_they_belong(tmp_path: Path, text: str, url: str, sent: set[bytes]) -> None:
    path = tmp_path / "cookies"
    path.write_text(text)
    fields = dict(Subscription(read_cookies(path, "here")).fields(url))
    assert set(filter(None, fields.get(b"Cookie", b"").split(b"; "))) == sent


def test_a_cookie_of_the_request_goes_before_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cookies"
    path.write_text(NETSCAPE)
    found = dict(Subscription(read_cookies(path, "here")).fields("https://town.example/", b"all=new; more=1"))
    assert found == {}, "that of the request stays as it is"
    found = dict(Subscription(read_cookies(path, "here")).fields("https://town.example/", b"more=1"))
    assert found == {b"Cookie": b"more=1; all=one"}


def test_cookies_that_the_site_renews_count_and_others_do_not(tmp_path: Path) -> None:
    path = tmp_path / "cookies"
    path.write_text(NETSCAPE)
    url = "https://town.example/a"

    def answered(*cookies: str, renewed_only: bool = True) -> bytes | None:
        answer = Response(url, headers={"Set-Cookie": list(cookies)}, request=Request(url))
        subscription.take(answer, renewed_only=renewed_only)
        return dict(subscription.fields(url)).get(b"Cookie")

    subscription = Subscription(read_cookies(path, "here"))
    assert answered("all=a-value-of-the-reader-2; Domain=town.example; Path=/", "meter=1; Path=/") == (
        b"all=a-value-of-the-reader-2"
    )
    assert b"a-value-of-the-reader-2" in set(subscription.secrets())
    # A cookie of another host or path is another.
    assert answered("all=evil; Domain=other.example; Path=/") == b"all=a-value-of-the-reader-2"
    assert answered("in=1; Path=/", renewed_only=False) == b"in=1; all=a-value-of-the-reader-2"
    assert answered("all=; Domain=town.example; Path=/; Max-Age=0") == b"in=1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no cookies in it"),
        ("# nothing\n", "no cookies in it"),
        ("sesame-open", "line 1 has 1 fields, not the seven of cookies.txt with tabs between; a cookie file is"),
        ("a.example\tTRUE\t/\tTRUE\tsoon\tn\tv", "line 1 ends at no number of seconds since 1970"),
        (
            "town.example\tFALSE\t/\tFALSE\t1\told\tx",
            "all its cookies have expired; export them from the browser again",
        ),
        ("[{]", "no JSON: "),
        ('{"sid": "sesame-open"}', "JSON of cookies is a list of objects, or an object with such a list as `cookies`"),
        ('["sesame-open"]', "entry 1 is no object"),
        ('[{"name": "n", "value": "sesame-open"}]', "entry 1 (n) has no domain"),
        ('[{"name": "n", "value": "sesame-open\\r\\nX: y", "domain": "a.example"}]', "entry 1 (n) has a value that"),
        ('[{"name": "n", "value": "v", "domain": "a b"}]', "entry 1 (n): its domain has a bad host name"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "cookies"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_cookies(path, "here")
    assert str(error.value).startswith(f"here: {path}: {told}")
    assert "sesame" not in str(error.value)


def test_an_entry_that_is_no_cookie_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cookies"
    path.write_text(f"{NETSCAPE}a.example\tTRUE\t/\tFALSE\t0\t\tsesame\r\na b\tTRUE\t/\tFALSE\t0\tn\tsesame\r\n")
    path.chmod(0o600)
    assert [cookie.name for cookie in read_cookies(path, "here")] == ["all", "own"]
    assert caplog.messages == [f"{path}: line 6 has no name, or none that a cookie can have; left out, as 1 more"]


def test_fields_go_to_named_hosts_alone() -> None:
    named = NamedHosts(["http://a.example/x", "https://b.example:8443/"])
    allowed = ["http://a.example/y", "https://a.example/", "https://b.example:8443/z"]
    others = ["http://b.example:8443/", "https://b.example/", "http://www.a.example/", "http://a.example:81/"]
    assert [named(url) for url in allowed + others] == [True] * 3 + [False] * 4


LOGIN = Login("https://t.example/login", user="jane", password="sesame")
FORM = (
    b"<form><input name=q type=search></form><form method=POST action='/in?x=1'>"
    b"<input name=csrf value='t&amp;1' type=hidden><input name=who><input type=Password name=word>"
    b"<input type=checkbox name=stay checked value=1><input type=checkbox name=spam value=1>"
    b"<input type=submit name=go value=Go></form>"
)


def test_a_form_is_filled_in() -> None:
    filled = form_submission(LOGIN, FORM, "https://t.example/login")
    assert filled.url == "https://t.example/in?x=1"
    assert filled.body == b"csrf=t%261&stay=1&go=Go&word=sesame&who=jane"
    assert "sesame" not in repr(filled) + repr(LOGIN)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (b"", "no form with a password in it at https://t.example/login; `fields` names those that are sent"),
        (b"<form><input name=q></form>", "no form with a password in it"),
        (FORM.replace(b"POST", b"GET"), "the form would put the password into an address (method GET)"),
        (FORM.replace(b"/in", b"http://t.example/in"), "the form would send the password without TLS"),
        (FORM.replace(b"/in", b"ftp://t.example/in"), "the form would send the password without TLS"),
        (FORM.replace(b"<input name=who>", b""), "the form has no field for a user name before the password"),
    ],
)
def test_forms_that_are_not_filled_in(page: bytes, told: str) -> None:
    with pytest.raises(LoginRefused, match=re.escape(told)):
        form_submission(LOGIN, page, "https://t.example/login")


def test_a_token() -> None:
    login = Login(
        "https://t.example/token", user="jane", password="sesame", token="data.access", header="X-T: k={token}"
    )
    assert json.loads(json_submission(login).body) == {"username": "jane", "password": "sesame"}
    assert token_of(login, b'{"data": {"access": "abc"}}') == ("X-T", "k=abc")
    for answer in (b"<html>", b"[]", b'{"data": {"access": 1}}', b'{"data": {"access": "a\\r\\nb"}}'):
        with pytest.raises(LoginRefused):
            token_of(login, answer)
