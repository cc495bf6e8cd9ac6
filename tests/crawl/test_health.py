"""Verdicts on invented histories, and health as it is printed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import pytest
from command import Run
from opened import frontier_in
from prometheus_client.parser import text_string_to_metric_families
from site_worlds import few

from crawler.frontier.address_state import Announcement, SiteRun, SiteState, Visit
from crawler.frontier.run_counts import RunCounts
from crawler.session.site_memory_store import SiteMemoryStore
from crawler.sites.site import Site
from newskeep.health.collect import health_of
from newskeep.health.history import History
from newskeep.health.prometheus import HELP, render
from newskeep.health.verdicts import judge
from storage import open_archive
from storage.index import ArticleEntry, WarcEntry
from storage.model import RunState

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: A Thursday, ten in the morning.
THURSDAY = datetime(2026, 11, 19, 10, tzinfo=UTC)
#: Articles of an hour.
Rate = Callable[[datetime], int]


def daily(moment: datetime) -> int:
    """A daily paper of 27 articles from 6 to 14 o'clock, a handful on Saturdays, none on Sundays and at night."""
    return {5: 1 if moment.hour % 4 == 0 else 0, 6: 0}.get(moment.weekday(), 3) if 6 <= moment.hour < 15 else 0


def weekly(moment: datetime) -> int:
    """A magazine: twelve articles on Wednesdays."""
    return 12 if (moment.weekday(), moment.hour) == (2, 8) else 0


def agency(moment: datetime) -> int:
    """Around the clock, a little less at night."""
    return 6 if 6 <= moment.hour < 22 else 3


def rare(moment: datetime) -> int:
    """Now and then one."""
    return 1 if moment.toordinal() % 5 == 0 and moment.hour == 12 else 0


def history(rate: Rate, at: datetime, weeks: float = 10, until: datetime | None = None) -> History:
    """A site that was watched for some weeks, asked every hour, and published at a rate until it ended."""
    number = int(weeks * 7 * 24)
    first = at - HOUR * number
    hours = [first + HOUR * place for place in range(number)]
    counts = [rate(hour) if until is None or hour < until else 0 for hour in hours]
    sums = list(accumulate(counts, initial=0))

    def announced(since: datetime, before: datetime) -> int:
        start, end = (min(max(math.ceil((moment - first) / HOUR), 0), number) for moment in (since, before))
        return sums[end] - sums[start]

    midnights = [(at - DAY * back).replace(hour=0) for back in reversed(range(57))]
    runs = tuple(run(hour, new=new) for hour, new in list(zip(hours, counts, strict=True))[:-51:-1])
    state = SiteState("gazette", at - HOUR, at - HOUR + timedelta(minutes=1), at + HOUR / 4)
    held = [(midnight.date(), announced(midnight, midnight + DAY)) for midnight in midnights]
    return History("gazette", at, 3600.0, state, runs, held, announced)


def run(started: datetime, state: RunState | None = "finished", new: int = 3, **counts: int) -> SiteRun:
    """A run whose articles have 400 words and a date."""
    usual = {"announced": 30, "new": new, "archived": new, "words": 400 * new, "requests": 1 + new, "sources": 1}
    made = RunCounts.of_json({**usual, **counts})
    finished = None if state is None else started + timedelta(minutes=1)
    return SiteRun("gazette", f"{started:%d%H%M}", started, finished, state, made)


def kind(history: History) -> str:
    verdict = judge(history)
    assert verdict.why and len((verdict.why + verdict.do).splitlines()) == 1
    assert bool(verdict.do) == verdict.trouble
    return verdict.kind


@pytest.mark.parametrize("rate", [daily, weekly, agency, rare])
def test_what_goes_on_as_ever_is_never_trouble(rate: Rate) -> None:
    """Each hour of two weeks, in summer and winter time, and as young as a site can be."""
    for weeks in (0.1, 1.5, 2.5, 10):
        kinds = {kind(history(rate, THURSDAY + HOUR * hour, weeks)) for hour in range(0, 14 * 24, 5)}
        assert kinds <= {"ok", "quiet"}, weeks


def test_weekends_and_nights_are_quiet() -> None:
    sunday = THURSDAY + 3 * DAY
    verdict = judge(history(daily, sunday))
    assert verdict.kind == "quiet"
    assert "27 on most days, 1 to 1 at this time of the week" in verdict.why
    assert kind(history(daily, sunday + 20 * HOUR)) == "quiet"
    assert kind(history(weekly, sunday)) == "ok"


@pytest.mark.parametrize(
    ("rate", "fell_silent", "noticed"),
    [
        # On a Thursday at six: by the end of its working day.
        (daily, THURSDAY - 4 * HOUR, range(6, 14)),
        # After its last article of a Friday: only what Monday morning lacks tells it from a weekend.
        (daily, THURSDAY + DAY + 6 * HOUR, range(62, 68)),
        # A day's articles, but for those of an hour or two.
        (agency, THURSDAY, range(20, 27)),
        # Behind a Wednesday: on the next one.
        (weekly, THURSDAY, range(142, 149)),
    ],
)
def test_silence_is_noticed_and_not_forgotten(rate: Rate, fell_silent: datetime, noticed: range) -> None:
    hours = range(1, 24 * 40, 5)
    silent = [hour for hour in hours if kind(history(rate, fell_silent + hour * HOUR, 20, fell_silent)) == "silent"]
    assert silent[0] in noticed
    assert silent == list(range(silent[0], hours.stop, 5))


def test_a_young_site_falls_silent_too() -> None:
    """Four days with articles, then none: more than a long weekend is no lull."""
    fell_silent = THURSDAY - 6 * DAY
    fallen = history(agency, fell_silent + 5 * DAY, 9 / 7, fell_silent)
    verdict = judge(fallen)
    assert verdict.kind == "silent" and "a day were usual" in verdict.why
    assert kind(history(agency, fell_silent + 2 * DAY, 6 / 7, fell_silent)) != "silent"


def test_silence_says_what_was_usual_and_needs_somebody_who_asked() -> None:
    fallen = history(agency, THURSDAY, until=THURSDAY - DAY)
    verdict = judge(fallen)
    assert verdict.why == "nothing new in 24 hours; 120 to 120 were usual, at this time of the week"
    assert "newskeep sites check gazette" in verdict.do
    # A pinned page is no news.
    pinned = replace(fallen, announced=lambda since, until: 1 + fallen.announced(since, until))
    assert judge(pinned).why.startswith("1 new in 24 hours")
    # We were away ourselves.
    assert kind(replace(fallen, runs=fallen.runs[40:])) != "silent"
    # Too rare to know.
    assert kind(history(rare, THURSDAY, until=THURSDAY - 30 * DAY)) == "ok"


def test_redesign_is_told_from_silence() -> None:
    well = history(agency, THURSDAY)

    def with_newest(number: int, **counts: int) -> History:
        newest = [run(each.started, "finished", 3, **counts) for each in well.runs[:number]]
        return replace(well, runs=(*newest, *well.runs[number:]))

    assert kind(well) == "ok"
    verdict = judge(with_newest(8, words=30))
    assert (verdict.kind, verdict.why[:36]) == ("redesign", "pages come, but 10 words an article,")
    assert kind(with_newest(8, undated=3)) == "redesign"
    assert kind(with_newest(8, words=0)) == "redesign"
    # Six articles may all be short; half as long is a style; a third without date was always so.
    assert kind(with_newest(2, words=30, undated=3)) == "ok"
    assert kind(with_newest(8, words=600, undated=1)) == "ok"
    # The front page answers and names nothing: the day before yesterday was the last with links.
    silent = history(agency, THURSDAY, until=THURSDAY - DAY)
    hours = [THURSDAY - 6 * HOUR * back for back in range(1, 50)]
    runs = [run(hour, new=0, announced=0 if hour >= THURSDAY - DAY else 30) for hour in hours]
    verdict = judge(replace(silent, runs=runs))
    assert verdict.why == "its sources answer, but name 0 articles at most; 30 were usual"
    # "Not modified" names none either, and that is all right.
    runs = [replace(each, counts=replace(each.counts, not_modified=1, sources=0)) for each in runs]
    assert judge(replace(silent, runs=runs)).kind == "silent"


def test_doubt_that_rises_is_a_redesign() -> None:
    def of(new: Sequence[bool], old: Sequence[bool] = (False,) * 40, hours: int = 6) -> str:
        moments = [THURSDAY - HOUR * hours * back for back in range(len(new) + len(old))]
        sure = [0.3 if is_doubtful else 0.9 for is_doubtful in (*new, *old)]
        return kind(replace(history(daily, THURSDAY), confidences=list(zip(moments, sure, strict=True))))

    doubted, sure = (True,), (False,)
    assert of(doubted * 5) == "redesign"
    assert of(doubted * 6 + sure * 4) == "redesign"
    assert of((doubted + sure * 2) * 7) == "redesign", "a part of the site has a new layout"
    # Four are few, two of five may be chance.
    assert of(doubted * 2) == "ok"
    assert of(doubted * 2 + sure * 3) == "ok"
    # It was so before; it was not twice as much; there is too little before, or it is longer ago than a month.
    assert of(doubted * 5, (doubted + sure) * 20) == "ok"
    assert of((doubted + sure * 2) * 7, (doubted + sure * 4) * 8) == "ok"
    assert of(doubted * 5, sure * 19) == "ok"
    assert of(doubted * 5, hours=48) == "ok"
    assert kind(history(daily, THURSDAY)) == "ok"


def test_what_doubt_says() -> None:
    moments = [THURSDAY - HOUR * back for back in range(45)]
    sure = [0.49] * 5 + [0.1] * 2 + [0.5] * 38
    verdict = judge(replace(history(daily, THURSDAY), confidences=list(zip(moments, sure, strict=True))))
    why = "pages come, but 100% of the texts are doubtful, 5% before (the last 5 against 40 in the month before them)"
    assert verdict.why == why
    assert verdict.do.startswith("`newskeep doubts gazette` lists them")


def test_what_stops_the_runs_goes_first() -> None:
    silent = history(agency, THURSDAY, until=THURSDAY - 3 * DAY)
    assert silent.state is not None
    blocked = run(THURSDAY, "blocked")
    assert kind(replace(silent, runs=(blocked, *silent.runs))) == "banned"
    until = replace(silent.state, blocked_until=THURSDAY + DAY, blocked_reason="challenge page", blocks=3)
    verdict = judge(replace(silent, state=until))
    assert verdict.kind == "banned"
    assert verdict.why.startswith("blocked: challenge page; 3 times in a row; left alone until 2026-11-20 ")

    dead = replace(run(THURSDAY, "failed"), hosts={"www.gazette.example": "name not found"})
    assert kind(replace(silent, runs=(dead, *silent.runs))) != "failing"
    twice = replace(silent, runs=(dead, run(THURSDAY, new=0, requests=0), dead, *silent.runs))
    verdict = judge(twice)
    assert verdict.kind == "failing"
    assert verdict.why.startswith("2 runs failed since ")
    assert verdict.why.endswith("www.gazette.example: name not found")
    assert kind(replace(silent, runs=(dead,))) == "failing"
    killed = [run(THURSDAY - HOUR * back, None) for back in range(4)]
    assert "killed" in judge(replace(silent, runs=(*killed, *silent.runs))).why
    assert kind(replace(silent, runs=(*killed[:3], *silent.runs))) == "silent"


def test_pages_that_come_and_are_nothing() -> None:
    """Walls and pages without text, told from the one film or login among twenty articles."""

    def of(runs: Sequence[SiteRun]) -> str:
        return kind(replace(history(daily, THURSDAY), runs=[*runs, *history(daily, THURSDAY).runs]))

    assert of([run(THURSDAY - HOUR, archived=10, no_text=2)]) == "ok"
    assert of([run(THURSDAY - HOUR, archived=20, no_text=8)]) == "ok"
    assert of([run(THURSDAY - HOUR, archived=20, no_text=11)]) == "empty"
    assert of([run(THURSDAY - back * HOUR, new=2, archived=2, no_text=2) for back in range(1, 12)]) == "empty"
    assert of([run(THURSDAY - HOUR, archived=4, refused=16, walled=16)]) == "banned"
    assert of([run(THURSDAY - HOUR, archived=14, refused=6, walled=6)]) == "ok"
    first = [run(THURSDAY - HOUR, new=3, archived=3, no_text=3, words=0)]
    assert kind(replace(history(daily, THURSDAY), runs=first)) == "empty", "as young as a site can be"
    walled = run(THURSDAY - HOUR, archived=0, refused=5, walled=5)
    verdict = judge(replace(history(daily, THURSDAY), runs=[replace(walled, hosts={"g.example": "a login wall"})]))
    assert verdict.why == "5 of the last 5 pages were walls: g.example: a login wall"


def test_who_is_not_run_at_all() -> None:
    well = history(agency, THURSDAY)
    assert kind(History("gazette", THURSDAY, 900.0, SiteState("gazette"))) == "never run"

    def waits(since: timedelta, every: float = 900.0, **more: datetime) -> str:
        due = THURSDAY - since
        state = SiteState("gazette", **{"started": due - HOUR, "due": due, **more})  # type: ignore[arg-type]
        return kind(replace(well, every=every, state=state))

    assert waits(HOUR) == "ok"
    assert waits(3 * HOUR) == "stale"
    assert waits(3 * HOUR, every=6 * 3600.0) == "ok"
    # Being left alone is not being forgotten, nor is a run that is under way.
    assert waits(3 * HOUR, blocked_until=THURSDAY - HOUR) == "ok"
    assert waits(3 * HOUR, started=THURSDAY - HOUR) == "ok"


@pytest.fixture
def two_sites(tmp_path: Path) -> Sequence[Site]:
    """An archive in which one site has run, with what was missed, and another one is blocked."""
    now = datetime.now(UTC).replace(microsecond=0)
    sites = [Site(name, feeds=(f"https://{name}.example/feed",)) for name in ("gazette", 'he"r\\ald')]
    (tmp_path / "newskeep.toml").write_text('[sites.gazette]\nfeeds = "https://gazette.example/feed"\n')
    (tmp_path / "archive").mkdir()
    with frontier_in(tmp_path / "archive") as frontier:
        urls = [f"https://gazette.example/{number}" for number in range(9)]
        frontier.announce("gazette", [Announcement(url, "article") for url in urls], now - HOUR)
        frontier.visited(
            Visit(
                "gazette",
                url,
                "article",
                now,
                "failed" if number < 2 else "held",
                None,
                reason="404" if number < 2 else None,
            )
            for number, url in enumerate(urls)
        )
        frontier.finish_run(replace(run(now - HOUR, new=7, undated=7), problems=("feed: bad date",)))
        frontier.put_site(SiteState("gazette", now - HOUR, now, now + HOUR))
        frontier.put_site(SiteState('he"r\\ald', now - HOUR, now, now, now + DAY, "403\nForbidden", 1))
    return sites


@pytest.fixture
def doubted(tmp_path: Path, two_sites: Sequence[Site]) -> Sequence[Site]:
    """The same archive with articles in its index: of the newest five all are doubtful, of others none."""
    now = datetime.now(UTC).replace(microsecond=0)
    warc = WarcEntry("newskeep-a.warc.gz", 1_000, "a" * 64, ("text/a.jsonl.gz",))
    hosts = ("gazette.example", "sport.gazette.example", "notgazette.example")
    entries = [
        ArticleEntry(
            f"https://{host}/{number}", now - HOUR * (number + 1), host, None, None, None, 9,
            warc.filename, number * 10 + place, warc.parts[0], number * 10 + place, 1,
            confidence=None if number % 7 == 6 else 0.2 if number < 5 and place < 2 else 0.8,
        )
        for place, host in enumerate(hosts)
        for number in range(40)
    ]  # fmt: skip
    with open_archive(tmp_path / "archive") as archive:
        archive.index.add(warc, [], entries)
    return two_sites


def test_doubt_out_of_the_index(newskeep: Run, tmp_path: Path, doubted: Sequence[Site]) -> None:
    done = newskeep("health", "gazette")
    shown = done.stdout.decode()
    assert done.returncode == 4, done.stderr.decode()
    # Subdomains are the site's, and what ends like it is not; what nobody judged is not counted.
    assert (
        "redesign   gazette  pages come, but 100% of the texts are doubtful, 8% before (the last 5 against 65 in"
        in shown
    )
    assert "doubtful texts 50% of the last 20 (in the month before: 0%)" in shown
    (line,) = newskeep("health", "--json").stdout.splitlines()
    assert json.loads(line)["doubtful"] == {"now": 0.5, "before": 0.0}
    with (
        frontier_in(tmp_path / "archive") as frontier,
        open_archive(tmp_path / "archive") as archive,
    ):
        text = render(health_of(frontier, doubted, datetime.now(UTC), index=archive.index))
    assert 'newskeep_site_doubtful_ratio{site="gazette"} 0.5' in text.splitlines()


@pytest.mark.usefixtures("doubted")
def test_what_site_memory_spared_is_named(newskeep: Run, tmp_path: Path) -> None:
    text = few(2).articles[0]
    copies = [replace(text, url=f"{text.url}/{name}", title=f"Agency text, {name}") for name in ("one", "two", "three")]
    longest = max((block.text for block in text.blocks if block.kept), key=len)
    with open_archive(str(tmp_path / "archive")) as opened:
        SiteMemoryStore(opened.store, opened.state).learn("gazette.example", copies)
    shown = newskeep("health", "gazette").stdout.decode()
    assert "repeats, but stays in 3 of 3 articles of gazette.example, since it would be most of the text:" in shown
    assert shown.count("       3  ") == 5
    (line,) = newskeep("health", "gazette", "--json").stdout.splitlines()
    (spared,) = json.loads(line)["spared"]
    assert (spared["host"], spared["articles"], spared["of"]) == ("gazette.example", 3, 3)
    assert {"articles": 3, "line": longest[:400]} in spared["lines"]
    # All sites at once: no memory is read.
    (line,) = newskeep("health", "--json").stdout.splitlines()
    assert json.loads(line)["spared"] is None


def test_prometheus(tmp_path: Path, two_sites: Sequence[Site]) -> None:
    now = datetime.now(UTC)
    with frontier_in(tmp_path / "archive") as frontier:
        text = render(health_of(frontier, two_sites, now))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert set(families) <= set(HELP)
    assert all(family.type == "gauge" and family.documentation == HELP[name] for name, family in families.items())
    found = {
        (sample.name.removeprefix("newskeep_site_"), *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert found["verdict", "gazette", "ok"] == 1
    assert found["verdict", 'he"r\\ald', "banned"] == 1
    assert found["trouble", 'he"r\\ald'] == 1
    assert found["articles", "gazette", "failed"] == 2
    assert found["articles", "gazette", "held"] == 7
    assert found["undated_ratio", "gazette"] == 1
    assert found["article_words", "gazette"] == 400
    assert math.isclose(found["last_run_timestamp_seconds", "gazette"], (now - HOUR).timestamp(), abs_tol=60)
    assert found["blocked_until_timestamp_seconds", 'he"r\\ald'] > now.timestamp()


@pytest.mark.usefixtures("two_sites")
def test_as_it_is_printed(newskeep: Run, tmp_path: Path) -> None:
    done = newskeep("health", "gazette")
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"1 site, none in trouble\n")
    for part in ("ok", "9 new in 24 hours", "2 failed: 404", "https://gazette.example/0", "held 7 (78%)", "bad date"):
        assert part in shown
    (line,) = newskeep("health", "--json").stdout.splitlines()
    read = json.loads(line)
    assert (read["site"], read["verdict"], read["trouble"], read["do"]) == ("gazette", "ok", False, None)
    assert read["coverage"]["missed"][0]["urls"][0].startswith("https://gazette.example/")
    assert read["runs"][0]["counts"]["archived"] == 7
    (tmp_path / "newskeep.toml").write_text('[sites.herald]\nfeeds = "https://herald.example/feed"\n')
    done = newskeep("health")
    assert done.returncode == 4
    assert b"never run  herald  never run\n" in done.stdout
    assert b"newskeep schedule list" in done.stdout
    assert newskeep("health", "--prometheus").returncode == 4
