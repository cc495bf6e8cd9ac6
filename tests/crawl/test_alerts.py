"""Alerts: what happened is told once, to a webhook and by mail, in digests, also when the receiver was away."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from forward_proxy import ForwardProxy
from mail_server import MailServer
from origin import Hang, Logged, Origin, response
from room_archive import Fetched, answer, plain, write

from crawler.config import Config, load
from crawler.frontier import frontier_of
from crawler.frontier.address_state import SiteRun, SiteState
from crawler.frontier.run_counts import RunCounts
from crawler.sites.site import load_sites
from newskeep import posting
from newskeep.alerts import delivery, mail, outbox
from newskeep.alerts.delivery import Sent
from newskeep.alerts.outbox import outbox_of
from newskeep.alerts.telling import alerts_of, begin, tell
from storage import open_archive
from storage.archive import Archive
from storage.errors import AlreadyRunning
from storage.locking import held

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PAPER = "https://www.paper.example"
OK = response(b"ok")
WORDS = "the harbour, where the ships came in and the wind was light and nobody was in a hurry"


def page(path: str, title: str, moment: datetime, text: str = "", site: str = PAPER, **fields: Any) -> Fetched:
    text = f"{title}. {text} It happened at {WORDS}, says {title}."
    url = f"{site}/{path}"
    return Fetched(url, moment, answer(f"<p>{text}"), plain(url, title, "en", text, **fields))


def gone(path: str, moment: datetime, status: str = "410 Gone") -> Fetched:
    return Fetched(f"{PAPER}/{path}", moment, answer("<p>Nothing", status))


class World:
    """An archive, its newskeep.toml, and two receivers."""

    def __init__(self, folder: Path, hook: Origin, mails: MailServer) -> None:
        self.folder, self.hook, self.mails = folder, hook, mails
        (folder / "archive").mkdir()
        self.archive: Archive = open_archive(folder / "archive")
        self.config = Config()
        self._serial = 0
        hook.on_any(lambda path: OK if path == "/hook" else None)

    def configure(self, alerts: str, head: str = "") -> None:
        smtp = (
            f'[smtp]\nhost = "127.0.0.1"\nport = {self.mails.port}\ntls = "none"\nfrom = "Newskeep <bot@example.org>"\n'
        )
        text = alerts.replace("HOOK", self.hook.url("/hook"))
        file = self.folder / "newskeep.toml"
        file.write_text(f"allow_private = true\n{head}\n{smtp}\n{text}", encoding="utf-8")
        self.config = load(file, {})

    def begin(self, at: datetime) -> None:
        begin(self.archive, alerts_of(self.config), at)

    def hold(self, *fetched: Fetched) -> None:
        self._serial += 1
        self.archive.deliver(write(self.folder / "parcels", self._serial, list(fetched)))

    def tell(self, at: datetime, **options: bool) -> list[Sent]:
        sites = load_sites(self.config).values()
        return tell(self.archive, self.config, alerts_of(self.config), sites, at, **options)

    @property
    def posted(self) -> list[Any]:
        return [json.loads(body(each)) for each in self.hook.log]

    def told(self) -> list[tuple[str, str]]:
        """Kind and title of every event, in the order in which they came."""
        return [(each["kind"], each["title"]) for message in self.posted for each in message["events"]]


def body(logged: Logged) -> bytes:
    return logged.request.partition(b"\r\n\r\n")[2]


def field(logged: Logged, name: str) -> str | None:
    for line in logged.request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        key, _, value = line.partition(": ")
        if key.lower() == name.lower():
            return value
    return None


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Origin() as hook, MailServer() as mails:
        made = World(tmp_path, hook, mails)
        yield made
        made.archive.close()


def test_what_is_new_changed_and_gone_is_told_once_and_nothing_of_before(world: World) -> None:
    world.hold(page("old", "An old story", NOW - 9 * HOUR))
    world.configure('[alerts.all]\non = ["new", "changed", "removed"]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    assert world.tell(NOW) == []
    world.hold(page("a", "The bridge opens", NOW + MINUTE), page("old", "An old story", NOW + 2 * MINUTE))
    assert [each.problem for each in world.tell(NOW + HOUR)] == [None]
    assert world.told() == [("new", "The bridge opens")]
    world.hold(
        page("a", "The bridge opens", NOW + 2 * HOUR, "A correction of the numbers."), gone("old", NOW + 2 * HOUR)
    )
    world.hold(gone("old", NOW + 3 * HOUR), gone("never-held", NOW + 3 * HOUR))
    world.tell(NOW + 4 * HOUR)
    world.tell(NOW + 5 * HOUR)
    assert world.told()[1:] == [("changed", "The bridge opens"), ("removed", "An old story")]
    changed, removed = world.posted[1]["events"]
    assert changed["before"] == f"{NOW + MINUTE:%Y%m%d%H%M%S}"
    assert (removed["status"], removed["timestamp"]) == (410, f"{NOW + 2 * HOUR:%Y%m%d%H%M%S}")


def test_the_same_captures_in_another_warc_are_nothing_new(world: World) -> None:
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    fetched = page("a", "The bridge opens", NOW + MINUTE)
    world.hold(fetched)
    world.tell(NOW + HOUR)
    # As compaction and `reindex` leave it: other names, other numbers in a new index.
    world.hold(fetched, page("b", "Another story", NOW + 2 * MINUTE))
    world.tell(NOW + 2 * HOUR)
    world.archive.renew_index()
    world.hold(fetched)
    world.tell(NOW + 3 * HOUR)
    assert world.told() == [("new", "The bridge opens"), ("new", "Another story")]


def test_a_saved_search_is_told_of_what_has_its_words(world: World) -> None:
    world.configure(
        '[alerts.words]\nquery = "\\"new bridge\\" -tunnel"\nsites = ["paper.example"]\nwebhook = "HOOK"\nevery = 0\n'
    )
    world.begin(NOW)
    world.hold(
        page("a", "First", NOW + MINUTE, "They open the new bridge."),
        page("b", "Second", NOW + MINUTE, "The bridge is new."),
        page("c", "Third", NOW + MINUTE, "The new bridge, or a tunnel."),
        page("d", "Fourth", NOW + MINUTE, "A new bridge elsewhere.", site="https://other.example"),
        page("e", "Fifth", NOW + MINUTE, "A new bridge below.", site="https://sport.paper.example"),
    )
    world.tell(NOW + HOUR)
    assert sorted(world.told()) == [("new", "Fifth"), ("new", "First")]
    assert "new bridge" in world.posted[0]["events"][0]["summary"]
    # What gets the words later is new to the search; what had them before is not.
    world.hold(
        page("a", "First", NOW + 2 * HOUR, "They open the new bridge. More of it."),
        page("b", "Second", NOW + 2 * HOUR, "The bridge is new: a new bridge."),
    )
    world.tell(NOW + 3 * HOUR)
    assert world.told()[2:] == [("changed", "Second")]


def test_a_signature_proves_who_sent_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "hook.txt").write_text(world.hook.url("/hook") + "\n")
    monkeypatch.setenv("SIGNING_KEY", "it is a sécret")
    world.configure(
        '[alerts.all]\nwebhook = { file = "hook.txt" }\nsecret = { variable = "SIGNING_KEY" }\n',
        'public_url = "https://archive.example.org/"',
    )
    world.begin(NOW)
    world.hold(page("a", "Æblet faldt", NOW + MINUTE))
    assert [each.problem for each in world.tell(NOW + HOUR)] == [None]
    [logged] = world.hook.log
    digest = hmac.new("it is a sécret".encode(), body(logged), hashlib.sha256).hexdigest()
    assert field(logged, "X-Hub-Signature-256") == f"sha256={digest}"
    [message] = world.posted
    assert field(logged, "X-Newskeep-Delivery") == message["delivery"]
    assert (message["alert"], message["counts"], message["dropped"]) == ("all", {"new": 1}, 0)
    at = f"{NOW + MINUTE:%Y%m%d%H%M%S}"
    assert message["events"][0]["memento"] == f"https://archive.example.org/web/{at}/{PAPER}/a"
    assert "Æblet faldt" in message["text"]


def test_a_mail_is_plain_text_with_links(world: World) -> None:
    world.configure(
        '[alerts.desk]\non = ["new", "removed"]\nemail = ["desk@example.org", "Ann <ann@example.org>"]\n',
        'public_url = "https://archive.example.org"',
    )
    world.begin(NOW)
    title = "The bridge\r\nBcc: thief@example.org \u202e opens"
    world.hold(page("a?x=" + "long" * 40, title, NOW + MINUTE, authors=("Ann Berg",)))
    assert [each.problem for each in world.tell(NOW + HOUR)] == [None]
    [sent] = world.mails.mails
    assert sent.sender == "bot@example.org"
    assert sent.recipients == ["desk@example.org", "ann@example.org"]
    message = sent.message
    assert message["Subject"] == "[desk] The bridge Bcc: thief@example.org opens"
    assert message["Bcc"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    text = message.get_content().replace("\r\n", "\n")
    assert "1 new article: alert desk" in text
    assert f"  {PAPER}/a?x={'long' * 40}\n" in text
    assert f"  memento: https://archive.example.org/web/{NOW + MINUTE:%Y%m%d%H%M%S}/{PAPER}/a?x=" in text
    assert "Ann Berg" in text


def test_many_stand_in_one_message_and_the_next_one_waits(world: World) -> None:
    world.configure('[alerts.desk]\nemail = "desk@example.org"\nwebhook = "HOOK"\nevery = "1h"\n')
    world.begin(NOW)
    world.hold(*(page(str(number), f"Story number {number}", NOW + MINUTE, str(number) * 9) for number in range(60)))
    world.tell(NOW + 2 * MINUTE)
    [sent] = world.mails.mails
    assert sent.message["Subject"] == "[desk] 60 new articles"
    assert "… and 10 more." in sent.message.get_content()
    assert len(world.posted[0]["events"]) == 60
    world.hold(page("late", "A late story", NOW + 3 * MINUTE))
    assert world.tell(NOW + 30 * MINUTE) == []
    assert len(world.tell(NOW + 63 * MINUTE)) == 2
    assert world.told()[60:] == [("new", "A late story")]


def test_quiet_hours_hold_back_and_deliver_later(world: World) -> None:
    world.configure('[alerts.desk]\nwebhook = "HOOK"\nquiet = "22:00-07:00"\nzone = "Asia/Kolkata"\n')
    # 23:00 there is 17:30 in UTC.
    night = NOW.replace(hour=17, minute=30, second=0) - timedelta(days=1)
    world.begin(night - HOUR)
    world.hold(page("a", "The bridge opens", night))
    assert world.tell(night + MINUTE) == []
    assert world.tell(night + 8 * HOUR - MINUTE) == []
    assert len(world.tell(night + 8 * HOUR)) == 1
    assert world.told() == [("new", "The bridge opens")]


@pytest.mark.parametrize("status", ["500 Broken", "404 Not Found", "429 Too Many", "302 Found"])
def test_a_webhook_that_fails_is_tried_again_with_the_same_message(world: World, status: str) -> None:
    world.hook.on("/hook", response(b"", status, [("Location", world.hook.url("/elsewhere"))]))
    world.hook.on("/hook", OK)
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    [sent] = world.tell(NOW + HOUR)
    assert sent.problem is not None
    assert status[:3] in sent.problem
    world.hold(page("b", "Another story", NOW + HOUR))
    # Not before its time, and then as it was; what came meanwhile is a message of its own.
    assert world.tell(NOW + HOUR + MINUTE) == []
    assert [each.problem for each in world.tell(NOW + 2 * HOUR)] == [None]
    assert [each.problem for each in world.tell(NOW + 3 * HOUR)] == [None]
    first, second, third = world.posted
    assert first["delivery"] == second["delivery"] != third["delivery"]
    assert first["events"] == second["events"]
    assert third["events"][0]["title"] == "Another story"
    assert {each.path for each in world.hook.log} == {"/hook"}


def test_a_message_whose_fate_is_not_known_is_sent_again_as_it_was(world: World) -> None:
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\nquiet = "00:00-23:59"\nzone = "UTC"\n')
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    night = (NOW + timedelta(days=1)).replace(hour=12)
    assert world.tell(night) == []
    # As a process does that is killed between the answer and its note of it.
    taken = outbox_of(world.archive).take("all", "webhook")
    assert taken is not None
    world.hold(page("b", "Another story", NOW + 2 * MINUTE))
    world.tell(night, at_once=True)
    world.tell(night, at_once=True)
    assert world.posted[0]["delivery"] == taken.id
    assert world.told() == [("new", "The bridge opens"), ("new", "Another story")]


def test_while_another_process_tells_nothing_is_told_twice(world: World) -> None:
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    with held(world.archive.state / "locks" / "alerts.lock", "newskeep alerts send"), pytest.raises(AlreadyRunning):
        world.tell(NOW + HOUR)
    assert world.posted == []
    world.tell(NOW + HOUR)
    assert len(world.posted) == 1


def test_an_article_that_cannot_be_read_keeps_no_other_back(world: World) -> None:
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    world.hold(page("b", "Another story", NOW + MINUTE))
    [lost, _] = sorted((world.folder / "archive" / "text").rglob("*.jsonl.gz"))
    lost.write_bytes(b"damaged")
    assert [each.problem for each in world.tell(NOW + HOUR)] == [None]
    assert world.told() == [("new", "Another story")]


def test_what_nobody_takes_is_given_up_in_the_end_and_said(world: World) -> None:
    world.hook.on("/hook", response(b"", "500 Broken"))
    world.hook.on("/hook", response(b"", "500 Broken"))
    world.hook.on("/hook", OK)
    world.configure('[alerts.all]\nwebhook = "HOOK"\nevery = 0\n')
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    world.tell(NOW + HOUR)
    [sent] = world.tell(NOW + delivery.GIVE_UP + 2 * HOUR)
    assert sent.again is None
    assert "given up" in str(sent)
    assert world.tell(NOW + delivery.GIVE_UP + 9 * HOUR) == []
    world.hold(page("b", "Another story", NOW + delivery.GIVE_UP + 9 * HOUR))
    world.tell(NOW + delivery.GIVE_UP + 10 * HOUR)
    assert world.told()[-1] == ("new", "Another story")
    assert world.posted[-1]["dropped"] == 1


def test_of_too_many_the_newest_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "WAITING_MAX", 3)
    world.configure('[alerts.all]\nwebhook = "HOOK"\n')
    world.begin(NOW)
    world.hold(*(page(str(number), f"Story {number}", NOW + number * MINUTE, str(number) * 9) for number in range(5)))
    world.tell(NOW + HOUR)
    assert world.told() == [("new", "Story 2"), ("new", "Story 3"), ("new", "Story 4")]
    assert world.posted[0]["dropped"] == 2
    world.hold(page("b", "Another story", NOW + HOUR))
    world.tell(NOW + 2 * HOUR)
    assert world.posted[1]["dropped"] == 0


def test_an_alert_that_is_taken_away_and_put_back_begins_anew(world: World) -> None:
    text = '[alerts.all]\nwebhook = "HOOK"\nevery = 0\n'
    world.configure(text)
    world.begin(NOW)
    world.configure("")
    world.begin(NOW + MINUTE)
    world.hold(page("a", "Meanwhile", NOW + 2 * MINUTE))
    world.configure(text)
    world.begin(NOW + HOUR)
    world.hold(page("b", "Afterwards", NOW + HOUR + MINUTE))
    world.tell(NOW + 2 * HOUR)
    assert world.told() == [("new", "Afterwards")]


def _run(archive: Archive, at: datetime, state: Any) -> None:
    counts = RunCounts(requests=3, announced=1, new=1, archived=1)
    frontier = frontier_of(archive)
    frontier.start_run(SiteRun("paper", f"{at:%Y%m%d%H%M%S}", at, at + MINUTE, state, counts, {}, ()))
    known = frontier.site("paper") or SiteState("paper")
    frontier.put_site(replace(known, started=at, finished=at + MINUTE, due=at + HOUR))


def test_a_site_in_trouble_is_told_when_it_begins_and_ends(world: World) -> None:
    world.configure(
        '[sites.paper]\nstart = "https://www.paper.example/"\n[sites.quiet]\nstart = "https://quiet.example/"\n'
        '[alerts.ops]\non = ["trouble"]\nsites = ["paper"]\nwebhook = "HOOK"\nevery = 0\n'
    )
    world.begin(NOW)
    world.tell(NOW)
    assert world.posted == []
    for hour in (1, 2, 3):
        _run(world.archive, NOW + hour * HOUR, "failed")
        world.tell(NOW + hour * HOUR + 5 * MINUTE)
    [message] = world.posted
    [event] = message["events"]
    assert (event["kind"], event["site"], event["verdict"]) == ("trouble", "paper", "failing")
    assert event["why"] and event["do"]
    _run(world.archive, NOW + 4 * HOUR, "finished")
    world.tell(NOW + 4 * HOUR + 5 * MINUTE)
    assert world.posted[1]["events"][0]["verdict_before"] == "failing"
    assert world.posted[1]["events"][0]["verdict"] in {"ok", "quiet"}


def send_one(world: World, alert: str) -> str:
    """Tell one event, and return what went wrong."""
    world.configure(alert)
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    [sent] = world.tell(NOW + HOUR)
    assert sent.problem is not None
    assert outbox_of(world.archive).standing("x", sent.channel).waiting == 1
    return sent.problem


def test_a_webhook_that_is_away_is_tried_again(world: World) -> None:
    assert "refused" in send_one(world, '[alerts.x]\nwebhook = "http://127.0.0.1:9/secret"\nevery = 0\n')


def test_a_webhook_that_hangs_ends_in_bounded_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "SECONDS", 0.3)
    world.hook.on("/hang/secret", Hang())
    problem = send_one(world, f'[alerts.x]\nwebhook = "{world.hook.url("/hang/secret")}"\n')
    assert "no answer in" in problem
    assert "secret" not in problem


def test_a_webhook_without_a_good_certificate_is_told_nothing(world: World) -> None:
    with Origin(tls=True) as origin:
        problem = send_one(world, f'[alerts.x]\nwebhook = "{origin.url("/secret")}"\n')
        assert "certificate" in problem
        assert origin.log == []


def test_a_webhook_of_a_private_authority_is_reached(world: World) -> None:
    authority = Authority()
    with Origin("127.0.0.1", tls=authority.server("localhost")) as origin:
        origin.on("/hook", OK)
        url = origin.url("/hook").replace("127.0.0.1", "localhost")
        world.configure(f'[alerts.x]\nwebhook = "{url}"\n', f'ca_file = "{authority.written(world.folder)}"')
        world.begin(NOW)
        world.hold(page("a", "The bridge opens", NOW + MINUTE))
        assert [each.problem for each in world.tell(NOW + HOUR)] == [None]
        assert field(origin.log[0], "Host") == origin.netloc.replace("127.0.0.1", "localhost")


def test_a_webhook_is_reached_through_the_proxy(world: World) -> None:
    authority = Authority()
    with (
        Origin(tls=authority.server("hooks.example.org")) as secure,
        ForwardProxy(int(world.hook.netloc.rpartition(":")[2]), int(secure.netloc.rpartition(":")[2])) as proxy,
    ):
        secure.on("/hook", OK)
        head = f'proxy = "{proxy.url}"\ntrust_proxy = true\nca_file = "{authority.written(world.folder)}"'
        tables = (f'[alerts.{scheme}]\nwebhook = "{scheme}://hooks.example.org/hook"\n' for scheme in ("http", "https"))
        world.configure("".join(tables), head)
        world.begin(NOW)
        world.hold(page("a", "The bridge opens", NOW + MINUTE))
        assert [each.problem for each in world.tell(NOW + HOUR)] == [None, None]
        # A body that comes by itself is noted as well.
        asked = [" ".join(each.split()[:2]) for each in proxy.asked if each.startswith(("POST", "CONNECT"))]
        assert asked == ["POST http://hooks.example.org/hook", "CONNECT hooks.example.org:443"]
        assert (len(world.hook.log), len(secure.log)) == (1, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_an_address_that_is_not_public_is_refused_unless_allowed(world: World, host: str) -> None:
    url = world.hook.url("/hook").replace("127.0.0.1", host)
    problem = send_one(world, f'[alerts.x]\nwebhook = "{url}"\nallow_private = false\n')
    assert "not public" in problem
    assert world.hook.log == []


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"": "421 too busy"}, "421 too busy"),
        ({"RCPT": "550 no such user"}, "550 no such user"),
        ({"MAIL": "451 greylisted"}, "451 greylisted"),
        ({"DATA": "554 spam"}, "554 spam"),
    ],
)
def test_a_mail_that_is_not_taken_waits(world: World, answers: dict[str, str], words: str) -> None:
    world.mails.answers.update(answers)
    assert words in send_one(world, '[alerts.x]\nemail = "desk@example.org"\nevery = 0\n')
    world.mails.answers.clear()
    assert [each.problem for each in world.tell(NOW + 2 * HOUR)] == [None]
    assert len(world.mails.mails) == 1


def test_a_mail_server_that_is_mute_ends_in_bounded_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SECONDS", 0.3)
    with MailServer(mute=True) as mute:
        world.mails.port, port = mute.port, world.mails.port
        assert "no answer in" in send_one(world, '[alerts.x]\nemail = "desk@example.org"\n')
        world.mails.port = port


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_password_goes_over_tls_only_and_to_who_can_be_believed(world: World, tls: str) -> None:
    authority = Authority()
    (world.folder / "password").write_text("pass word\n")

    def configure(server: MailServer, more: str = "") -> None:
        file = world.folder / "newskeep.toml"
        file.write_text(
            f'{more}\n[smtp]\nhost = "localhost"\nport = {server.port}\ntls = "{tls}"\nfrom = "bot@example.org"\n'
            'user = "bot"\npassword = { file = "password" }\n[alerts.x]\nemail = "desk@example.org"\n'
        )
        world.config = load(file, {})

    with MailServer(tls=authority.server("localhost"), at_once=tls == "tls") as server:
        configure(server)
        world.begin(NOW)
        world.hold(page("a", "The bridge opens", NOW + MINUTE))
        [sent] = world.tell(NOW + HOUR)
        assert "certificate" in (sent.problem or "")
        assert server.mails == []
        configure(server, f'ca_file = "{authority.written(world.folder)}"')
        [sent] = world.tell(NOW + 2 * HOUR)
        assert sent.problem is None
        assert server.mails[0].secured
        assert (server.mails[0].login or "").startswith("AUTH PLAIN ")


def test_starttls_that_is_not_offered_sends_nothing_in_the_clear(world: World) -> None:
    file = world.folder / "newskeep.toml"
    file.write_text(
        f'[smtp]\nhost = "127.0.0.1"\nport = {world.mails.port}\nfrom = "bot@example.org"\n'
        '[alerts.x]\nemail = "desk@example.org"\n'
    )
    world.config = load(file, {})
    world.begin(NOW)
    world.hold(page("a", "The bridge opens", NOW + MINUTE))
    [sent] = world.tell(NOW + HOUR)
    assert "STARTTLS" in (sent.problem or "")
    assert world.mails.mails == []


def test_a_page_that_says_noarchive_is_named_without_its_text(world: World) -> None:
    world.configure('[alerts.all]\nwebhook = "HOOK"\n')
    world.begin(NOW)
    fetched = page("a", "The bridge opens", NOW + MINUTE)
    assert fetched.article is not None
    world.hold(replace(fetched, article=replace(fetched.article, noarchive=True)))
    world.tell(NOW + HOUR)
    [event] = world.posted[0]["events"]
    assert event["title"] == "The bridge opens"
    assert "summary" not in event
