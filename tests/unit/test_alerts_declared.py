"""What a table of an alert may say, and what is said of mistakes; quiet hours; secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.config import Config, load
from newskeep.alerts.alert import Alert, load_alerts
from newskeep.alerts.mail import load_server
from newskeep.alerts.quiet_hours import QuietHours
from newskeep.alerts.telling import alerts_of
from storage.errors import ConfigError

SMTP = '[smtp]\nhost = "mail.example.org"\nfrom = "bot@example.org"\n'
HOOK = 'webhook = "https://hooks.example.org/secret"\n'


def configured(folder: Path, text: str) -> Config:
    (folder / "newskeep.toml").write_text(text, encoding="utf-8")
    return load(folder / "newskeep.toml", {})


def declared(folder: Path, text: str) -> Alert:
    return load_alerts(configured(folder, f"[alerts.x]\n{text}"))["x"]


def test_what_is_not_said_has_defaults(tmp_path: Path) -> None:
    alert = declared(tmp_path, HOOK)
    assert (alert.on, alert.every, alert.quiet, alert.channels) == (("new",), 900.0, None, ("webhook",))


def test_sites_are_names_or_hosts(tmp_path: Path) -> None:
    site = '[sites.guardian]\nstart = "https://www.theguardian.com/"\n'
    alert = load_alerts(configured(tmp_path, f'{site}[alerts.x]\nsites = ["guardian", "www.example.org"]\n{HOOK}'))["x"]
    for site in ("guardian", "theguardian.com", "amp.theguardian.com", "example.org", "sport.example.org"):
        assert alert.is_about(site)
    for site in ("nottheguardian.com", "example.com", "herald"):
        assert not alert.is_about(site)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "tells nobody"),
        ('on = "gone"\n' + HOOK, "on must be some of new, changed, removed, trouble, not 'gone'"),
        ("on = []\n" + HOOK, "on must be some of"),
        ('query = " "\n' + HOOK, "query must be a text"),
        ('query = "…"\n' + HOOK, "query must be words to search for"),
        ('sites = ["guardin"]\n' + HOOK, "sites: no site is named 'guardin'"),
        ('sites = ["http://a b.org"]\n' + HOOK, "sites: "),
        ('every = "soon"\n' + HOOK, "every must be a time"),
        ('quiet = "22-07"\n' + HOOK, "quiet: must be hours"),
        ('quiet = "24:00-07:00"\n' + HOOK, "quiet: must be hours"),
        ('quiet = "07:00-07:00"\n' + HOOK, "quiet: begins and ends at the same time"),
        ('quiet = "22:00-07:00"\nzone = "Mars/Olympus"\n' + HOOK, "quiet: unknown time zone 'Mars/Olympus'"),
        ('quiet = "22:00-07:00"\nzone = "../../etc/passwd"\n' + HOOK, "quiet: unknown time zone"),
        ('quiet = "22:00-07:00"\nzone = ""\n' + HOOK, "quiet: unknown time zone"),
        ('zone = "UTC"\n' + HOOK, "zone is that of quiet hours"),
        ('email = "desk"\n' + SMTP, "email must be an e-mail address"),
        ('email = "a@b.org\\nBcc: c@d.org"\n' + SMTP, "email must be an e-mail address"),
        ('email = "desk@example.org"\n', r"email needs a server: add a table \[smtp\]"),
        ('secret = "s"\nemail = "a@b.org"\n' + SMTP, "secret signs a webhook"),
        ('webhook = "ftp://hooks.example.org/TOKEN"', "webhook must be an http or https address"),
        ('webhook = "https://hooks.example.org:0x/TOKEN"', "webhook must be an http or https address"),
        ('webhook = { variabel = "TOKEN" }', "webhook must be a text, { variable"),
        ('webhook = ["TOKEN"]', "webhook must be a text, { variable"),
        ("allow_private = 1\n" + HOOK, "allow_private must be true or false"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        declared(tmp_path, text)
    assert "[alerts.x]" in str(raised.value)
    # What was meant as a secret is not printed.
    assert "TOKEN" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('hots = "x"', "unknown key 'hots'; did you mean 'host'"),
        ("port = 25", "needs a host"),
        ('host = "m.org"', "needs a sender"),
        ('host = "m.org"\nfrom = "bot"', "needs a sender"),
        ('host = "m.org"\nfrom = "a@b.org"\nport = 0', "port must be a whole number"),
        ('host = "m.org"\nfrom = "a@b.org"\ntls = "ssl"', 'tls must be "starttls", "tls" or "none"'),
        ('host = "m.org"\nfrom = "a@b.org"\nuser = "u"', "user and password go together"),
        ('host = "m.org"\nfrom = "a@b.org"\nuser = "u"\npassword = "TOKEN"\ntls = "none"', "not sent in the clear"),
    ],
)
def test_a_mistake_of_the_mail_server_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_server(configured(tmp_path, f"[smtp]\n{text}\n"))
    assert "TOKEN" not in str(raised.value)


def test_what_is_no_table_and_no_public_address_is_named(tmp_path: Path) -> None:
    for text, message in (
        ("alerts = 3", "alerts must be tables"),
        ("smtp = 3", "smtp must be a table"),
        ("[alerts]\nx = 3", "must be a table"),
        ("[alerts.'Große']\n", "cannot be an alert's name"),
        ('public_url = "archive.example.org"', "public_url must be"),
    ):
        with pytest.raises(ConfigError, match=message):
            alerts_of(configured(tmp_path, text))


def test_secrets_are_read_when_they_are_needed_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_HOOK", "https://hooks.example.org/TOKEN")
    for text in ('{ variable = "SOME_HOOK" }', '{ file = "hook" }', '"https://hooks.example.org/TOKEN"'):
        alert = declared(tmp_path, f"webhook = {text}")
        (tmp_path / "hook").write_text("https://hooks.example.org/TOKEN\n")
        assert alert.webhook is not None
        assert alert.webhook.read() == "https://hooks.example.org/TOKEN"
        assert "TOKEN" not in repr(alert)
        (tmp_path / "hook").unlink()
    for text, message in (
        ('{ variable = "SURELY_NOT_SET" }', "the variable SURELY_NOT_SET is not set"),
        ('{ file = "hook" }', "cannot read .*hook"),
    ):
        webhook = declared(tmp_path, f"webhook = {text}").webhook
        assert webhook is not None
        with pytest.raises(ConfigError, match=message):
            webhook.read()
    assert "TOKEN" not in repr(configured(tmp_path, '[alerts.x]\nwebhook = "https://hooks.example.org/TOKEN"'))


@pytest.mark.parametrize(
    ("hours", "zone", "quiet", "loud"),
    [
        ("22:00-07:00", "UTC", "22:00 23:59 00:00 06:59", "07:00 12:00 21:59"),
        ("12:30-13:15", "UTC", "12:30 13:14", "12:29 13:15 00:00"),
        ("22:00-07:00", "Asia/Kolkata", "16:30 01:29", "16:29 01:30"),
        ("9:00-17:00", "America/New_York", "13:00 20:59", "12:59 21:00"),
    ],
)
def test_quiet_hours(hours: str, zone: str, quiet: str, loud: str) -> None:
    found = QuietHours.parse(hours, zone)
    for times, expected in ((quiet, True), (loud, False)):
        for each in times.split():
            assert found.holds(datetime.fromisoformat(f"2026-07-14T{each}+00:00")) is expected, each


def test_quiet_hours_follow_the_clock_on_the_wall_when_it_is_put_back() -> None:
    # On 2026-10-25 the hour from 2 to 3 comes twice there: from 0:00 to 2:00 in UTC.
    found = QuietHours.parse("02:00-03:00", "Europe/Copenhagen")
    start = datetime(2026, 10, 25, tzinfo=UTC)
    held = [minute for minute in range(-60, 240, 10) if found.holds(start + timedelta(minutes=minute))]
    assert held == list(range(0, 120, 10))
