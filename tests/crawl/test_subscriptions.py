"""Sites for subscribers: let in by cookie, field, form or token, and no byte kept or told has a secret in it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from command import Run
from leaks import leaks
from members import PASSWORD, USER, Members
from origin import Origin, response
from warcs import RawRecord, records
from warm_start import WarmStart

from storage.http import HttpMessage

pytestmark = pytest.mark.long
SESSION = "session-of-jane-7f31c0de99"


@pytest.fixture
def members() -> Iterator[Members]:
    with Origin() as origin:
        yield Members(origin)


def configure(folder: Path, members: Members, table: str) -> None:
    (folder / "newskeep.toml").write_text(
        f'allow_private = true\nworkers = 1\noperator = "https://o.example/"\n'
        f'[sites.town]\nstart = "{members.origin.url()}"\ndelay = 0\nevery = 60\n{table}'
    )


def crawl(newskeep: Run, folder: Path, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """Outcomes by address; what was told is kept in a file of the folder."""
    done = newskeep("crawl", "town", "--json", "-vv", *options)
    keep(folder, done)
    assert done.returncode == code, done.stderr.decode()
    return {line["url"]: line for line in map(json.loads, done.stdout.splitlines())}


def keep(folder: Path, done: subprocess.CompletedProcess[bytes]) -> None:
    with (folder / "told").open("ab") as file:
        file.write(done.stdout + done.stderr)


def kinds(told: dict[str, dict[str, Any]]) -> list[str]:
    return sorted(line["outcome"] for line in told.values())


def cookie(request: bytes) -> str | None:
    return HttpMessage.parse(request).header("cookie")


def netscape(folder: Path, *lines: str) -> Path:
    path = folder / "cookies.txt"
    path.write_text("# Netscape HTTP Cookie File\n" + "".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    return path


def held(folder: Path) -> dict[tuple[str, str], RawRecord]:
    return {(record.type, record.url): record for record in records(folder / "archive")}


def test_cookies_let_in(newskeep: Run, members: Members, tmp_path: Path) -> None:
    members.sessions.add(SESSION)
    netscape(tmp_path, f"#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t{SESSION}")
    configure(tmp_path, members, 'cookies = "cookies.txt"\n')
    assert kinds(crawl(newskeep, tmp_path)) == ["archived"] * 3
    story = members.paper.path(1)
    assert cookie(members.origin.logged(story)[0].request) == f"sid={SESSION}"
    assert cookie(members.origin.logged("/robots.txt")[0].request) is None
    sent = members.origin.logged(story)[0].request
    record = held(tmp_path)["request", members.origin.url(story)]
    assert record.block == sent.replace(SESSION.encode(), b"[redacted]")
    assert record["Newskeep-Redacted"] == "Cookie"
    assert leaks(tmp_path, SESSION, apart_from=("cookies.txt",)) == []


FORM = f'[sites.town.login]\nurl = "URL/login"\nuser = "{USER}"\npassword = "${{TOWN_PASSWORD}}"\n'
TOKEN = FORM.replace("/login", "/api/token") + 'token = "data.access"\n'


@pytest.mark.parametrize("table", [FORM, TOKEN])
@pytest.mark.parametrize("tls", [False, True])
def test_a_log_in_lets_in_and_nothing_of_it_is_kept(
    newskeep: Run, tmp_path: Path, environment: dict[str, str], table: str, tls: bool
) -> None:
    authority = Authority()
    environment["SSL_CERT_FILE"] = str(authority.written(tmp_path))
    with Origin(tls=tls and authority.server("127.0.0.1")) as origin:
        members = Members(origin)
        members.cookie_attributes += "; Secure" if tls else ""
        logs_in(newskeep, members, tmp_path, environment, table)


def logs_in(newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str], table: str) -> None:
    environment["TOWN_PASSWORD"] = PASSWORD
    configure(tmp_path, members, table.replace("URL", members.origin.url("")))
    members.paper.put(members.paper.path(2), members.paper.page(2, more=f"{members.csrf}"), Set_Cookie="sid=x; Path=/a")
    assert kinds(crawl(newskeep, tmp_path)) == ["archived"] * 3
    assert members.logins == 1
    for command in (["export", "--format", "wacz", "--to", "out.wacz"], ["export", "--format", "jsonl", "--to", "out"]):
        keep(tmp_path, newskeep(*command))
    assert leaks(tmp_path, PASSWORD, *members.given) == []
    paths = {record.url.removeprefix(members.origin.url("")) for record in records(tmp_path / "archive")}
    assert paths.isdisjoint({"/login", "/session", "/api/token"})
    assert members.paper.path(1) in paths


@pytest.mark.parametrize(("table", "redirects"), [(FORM, False), (FORM, True), (TOKEN, False)])
def test_a_session_that_ends_is_begun_again(
    newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str], table: str, redirects: bool
) -> None:
    environment["TOWN_PASSWORD"] = PASSWORD
    members.lasts, members.redirects = 2, redirects
    configure(tmp_path, members, table.replace("URL", members.origin.url("")))
    told = crawl(newskeep, tmp_path)
    assert kinds(told) == ["archived"] * 3, told
    assert members.logins == 2
    assert leaks(tmp_path, PASSWORD, *members.given) == []


def test_a_log_in_that_does_not_help_is_told_once(
    newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["TOWN_PASSWORD"] = PASSWORD
    members.cookie_attributes = "Path=/elsewhere"
    configure(tmp_path, members, FORM.replace("URL", members.origin.url("")))
    told = crawl(newskeep, tmp_path, code=5)
    assert {(line["outcome"], line["reason"]) for line in told.values()} == {("refused", "a login wall")}
    # In the log, and as a problem of the site.
    assert (tmp_path / "told").read_text().count("the log-in did not let us in at") == 2
    assert members.logins == 2, "again once, and no more"


def test_a_wrong_password_is_tried_once(
    newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["TOWN_PASSWORD"] = "wrong-word-of-pass-1"
    configure(tmp_path, members, FORM.replace("URL", members.origin.url("")))
    done = newskeep("crawl", "town")
    keep(tmp_path, done)
    reason = f"not logged in at {members.origin.url('/login')}: the form came again: a wrong user or password"
    assert (done.returncode, reason in done.stderr.decode()) == (5, True), done.stderr.decode()
    assert members.logins == 1
    assert leaks(tmp_path, "wrong-word-of-pass-1") == []


def test_check_says_whether_we_are_logged_in(
    newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str]
) -> None:
    configure(tmp_path, members, FORM.replace("URL", members.origin.url("")))
    environment["TOWN_PASSWORD"] = PASSWORD
    told = json.loads(newskeep("sites", "check", "town", "--json").stdout)
    assert (told["subscription"], told["article"]["title"]) == ("logged in", "Story 1 of the long bridge")
    environment["TOWN_PASSWORD"] = "wrong"
    assert b"subscription  not logged in at" in newskeep("sites", "check", "town").stdout


def test_saved_with_cookies_and_fields(newskeep: Run, members: Members, tmp_path: Path) -> None:
    members.sessions.add(SESSION)
    path = netscape(tmp_path, f"127.0.0.1\tFALSE\t/2026\tFALSE\t0\tsid\t{SESSION}")
    url = members.paper.url(1)
    with Origin("127.0.0.2") as other:
        other.reply("/b", b"hello")
        members.paper.put("/on", b"", status="302 Found", Location=other.url("/b"))
        header = "X-Key: key-of-the-paper-0815-a"
        urls = [url, members.origin.url("/on")]
        done = newskeep("save", "--json", "--allow-private", *urls, "--cookies", str(path), "--header", header)
        keep(tmp_path, done)
        assert [line["outcome"] for line in map(json.loads, done.stdout.splitlines())] == ["archived"] * 2
        (elsewhere,) = other.logged("/b")
    assert b"key-of" not in elsewhere.request and cookie(elsewhere.request) is None
    (begin,) = members.origin.logged("/on")
    assert b"X-Key: key-of-the-paper-0815-a\r\n" in begin.request
    assert cookie(begin.request) is None, "another path"
    assert b"key-of" not in members.origin.logged("/robots.txt")[0].request
    assert leaks(tmp_path, SESSION, "key-of-the-paper-0815-a", apart_from=("cookies.txt",)) == []


def test_over_tls_secure_cookies_go_and_not_without(newskeep: Run, tmp_path: Path, environment: dict[str, str]) -> None:
    authority = Authority()
    environment["SSL_CERT_FILE"] = str(authority.written(tmp_path))
    path = netscape(tmp_path, f"127.0.0.1\tFALSE\t/\tTRUE\t0\tsid\t{SESSION}")
    with Origin() as plain, Origin(tls=authority.server("127.0.0.1")) as secure:
        for origin in (plain, secure):
            origin.on_any(lambda _: response(b"hello"))
        secure.reply("/down", status="302 Found", headers=[("Location", plain.url("/b"))])
        urls = [plain.url("/a"), secure.url("/a"), secure.url("/down")]
        done = newskeep("save", "--allow-private", *urls, "--cookies", str(path))
        assert done.returncode == 0, done.stderr.decode()
        assert {cookie(entry.request) for entry in plain.log} == {None}
        assert {cookie(entry.request) for entry in secure.log if entry.path != "/robots.txt"} == {f"sid={SESSION}"}
    assert leaks(tmp_path, SESSION, apart_from=("cookies.txt",)) == []


def test_two_crawls_at_once_keep_their_cookies_apart(newskeep: Run, tmp_path: Path) -> None:
    with Origin() as one, Origin() as two:
        tables = []
        for name, origin in (("one", one), ("two", two)):
            members = Members(origin)
            members.sessions.add(f"session-of-{name}-0123456789")
            # Both are of one host: ports count nothing to cookies.
            (tmp_path / f"{name}.json").write_text(
                json.dumps([{"name": "sid", "value": f"session-of-{name}-0123456789", "domain": "127.0.0.1"}])
            )
            tables.append(f'[sites.{name}]\nstart = "{origin.url()}"\ndelay = 0\ncookies = "{name}.json"\n')
        (tmp_path / "newskeep.toml").write_text("allow_private = true\nworkers = 1\n" + "".join(tables))
        done = newskeep("crawl", "one", "two", "--json", "--at-once", "2")
        assert done.returncode == 0, done.stderr.decode()
        assert {line["outcome"] for line in map(json.loads, done.stdout.splitlines())} == {"archived"}
        for name, origin in (("one", one), ("two", two)):
            found = {cookie(entry.request) for entry in origin.log if entry.path.startswith("/2026")}
            assert found == {f"sid=session-of-{name}-0123456789"}


def test_a_language_of_a_site(newskeep: Run, members: Members, tmp_path: Path) -> None:
    configure(tmp_path, members, 'accept_language = "da, en;q=0.5"\n')
    crawl(newskeep, tmp_path, code=5)
    sent = {HttpMessage.parse(entry.request).header("accept-language") for entry in members.origin.log}
    assert sent == {"da, en;q=0.5"}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('cookies = "none.txt"\n', "cannot read"),
        ('cookies = "newskeep.toml"\n', "not the seven of cookies.txt"),
        ('headers = {Authorization = "Bearer ${NOBODY_SET_IT}"}\n', "the variable NOBODY_SET_IT is not set"),
        ('headers = {Authorization = "${file:none}"}\n', "cannot read"),
        ('headers = {Host = "sesame-open-0"}\n', "Host is not to be set there"),
        ('headers = ["sesame-open-0"]\n', "headers must be a table of texts"),
        ('[sites.town.login]\nurl = "https://a.example/"\npasswort = "sesame-open-0"\n', "did you mean 'password'?"),
        ('login = "sesame-open-0"\n', "must be a table with url, user and password"),
    ],
)
def test_mistakes_are_a_line(newskeep: Run, members: Members, tmp_path: Path, table: str, told: str) -> None:
    configure(tmp_path, members, table)
    done = newskeep("crawl", "town")
    said = done.stderr.decode()
    assert (done.returncode, told in said, said.count("\n")) == (2, True, 1), said
    assert "sesame" not in said
    assert members.origin.log == []


def test_a_secret_in_a_file_that_others_can_read_is_warned_of(newskeep: Run, members: Members, tmp_path: Path) -> None:
    configure(tmp_path, members, f'headers = {{Cookie = "sid={SESSION}"}}\n')
    members.sessions.add(SESSION)
    done = newskeep("crawl", "town")
    warned = "WARNING: newskeep.toml: others on this machine can read a secret in it; chmod 600 keeps them out\n"
    assert (done.returncode, done.stderr.decode().count(warned)) == (0, 1), done.stderr.decode()
    assert leaks(tmp_path, SESSION, apart_from=("newskeep.toml",)) == []
    (tmp_path / "newskeep.toml").chmod(0o600)
    assert b"WARNING" not in newskeep("crawl", "town").stderr


def test_what_is_due_goes_on_where_one_site_has_no_secret(newskeep: Run, members: Members, tmp_path: Path) -> None:
    configure(tmp_path, members, 'cookies = "none.txt"\n')
    with Origin() as other, (tmp_path / "newskeep.toml").open("a") as file:
        Members(other).paper.put("/2026/11/22/story-1-of-the-long-bridge", b"")
        file.write(f'[sites.open]\nstart = "{other.url()}"\ndelay = 0\n')
        file.flush()
        done = newskeep("due", "--json")
        told = {line["site"]: line["state"] for line in map(json.loads, done.stdout.splitlines())}
        assert (told["town"], other.requests > 0) == ("failed", True), done.stderr.decode()
        assert b"cannot read" in done.stderr and b"Traceback" not in done.stderr
    assert members.origin.log == []


def test_scrapy_says_in_a_line_what_is_missing(
    members: Members, tmp_path: Path, environment: dict[str, str], warm_start: WarmStart
) -> None:
    configure(tmp_path, members, 'headers = {X-Key = "${NOBODY_SET_IT}"}\n')
    shutil.copy(Path(__file__).parents[2] / "scrapy.cfg", tmp_path)
    command = ("crawl", "town", "-s", "ALLOW_PRIVATE_ADDRESSES=1")
    done = warm_start.scrapy(*command, cwd=tmp_path, environment=environment)
    told = "scrapy crawl: [sites.town] headers: X-Key: the variable NOBODY_SET_IT is not set\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_nothing_is_served_that_was_secret(
    newskeep: Run, members: Members, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["TOWN_PASSWORD"] = PASSWORD
    configure(tmp_path, members, FORM.replace("URL", members.origin.url("")))
    story = members.paper.path(1)
    crawl(newskeep, tmp_path)
    told = [newskeep("get", members.origin.url(story), "--as", form).stdout for form in ("http", "request", "json")]
    told += [
        newskeep(*command).stdout
        for command in (("captures", members.origin.url(story)), ("explain", members.origin.url(story)))
    ]
    assert all(told)
    assert b"sid=[redacted]" in told[1]
    assert not any(secret.encode() in each for each in told for secret in (PASSWORD, *members.given))
