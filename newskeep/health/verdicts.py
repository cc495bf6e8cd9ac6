"""A site's history -> how it goes, why it is thought so, and what to do. Pure: no clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import median
from typing import Literal

from crawler.durations import duration
from crawler.frontier.address_state import SiteRun
from crawler.frontier.clock import BLOCKED_MOST, is_ahead, run_most
from crawler.sites.nothing_found import NOTHING
from newskeep.health.history import DAY, DAYS_MIN, SAMPLE, History
from newskeep.times import local
from storage.counts import counted

#: "quiet" is a lull as the site has them; "silent" is not. "redesign": pages come, but their text, dates or links do
#: not any more, or the text is in doubt. "empty": pages come, and most have no text. "stale": due, and nobody runs it.
Kind = Literal["ok", "quiet", "silent", "redesign", "empty", "banned", "failing", "stale", "never run"]
KINDS: tuple[Kind, ...] = ("ok", "quiet", "silent", "redesign", "empty", "banned", "failing", "stale", "never run")
#: What needs nobody's hand.
WELL: frozenset[Kind] = frozenset({"ok", "quiet"})

#: Seconds that a due site may wait: a schedule looks every 15 minutes or so, and a run may well take an hour.
_PATIENCE = 2 * 3600.0
#: An empty window is no chance where this many were usual, and none of the windows before was empty: Poisson's e^-5 is
#: less than one in a hundred.
_USUAL_MIN = 5
#: A count below a tenth of the least ever seen counts as none: a pinned page, an advert.
_NEXT_TO_NOTHING = 10
#: A day with more than this part of the usual one is as usual: twice as many or half are nothing to speak of.
_FEW = 4
#: Runs that went well, without which a window was not looked at: one may have come before the news.
_ASKED_MIN = 2
#: Of the mean length of twenty articles, which is known to a quarter: a fall below this is three standard errors.
_COLLAPSED = 1 / 3
#: Of the share of articles without a date: five standard errors of twenty articles.
_SHARE_RISE = 0.5
#: Newest articles whose doubt is held against that of the month before: five show a new layout, twenty a part of one.
_JUDGED = (5, 10, 20)
#: Empty days without a habit to compare with: a long weekend has three.
_EMPTY_MIN = 4
#: Pages of a kind that are no chance.
_PAGES_MIN = 3
#: Runs in a row that were killed; the machine may have been switched off once or twice.
_KILLED = 3


_CLOCK = "look whether the clock is right now (`date`); the next run puts it right"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a site goes, why it is thought so, and what to do: a line each, the last one empty if there is nothing."""

    kind: Kind
    why: str
    do: str = ""

    @property
    def trouble(self) -> bool:
        return self.kind not in WELL


def judge(history: History) -> Verdict:
    """Return the verdict that explains most: what stops the runs goes before what they find."""
    for look in _LOOKS:
        if (verdict := look(history)) is not None:
            return verdict
    found, usual = history.new(1), history.usual
    habit = "watched for less than a week" if usual is None else f"{usual:.0f} on most days"
    return Verdict("ok", f"{found or 'nothing'} new in 24 hours; {habit}")


def _never_run(history: History) -> Verdict | None:
    if history.runs or (history.state and history.state.started):
        return None
    do = f"`newskeep crawl {history.site}` runs it now; `newskeep schedule list` tells whether a schedule is installed"
    return Verdict("never run", "never run", do)


def _wrong_clock(history: History) -> Verdict | None:
    state = history.state
    if state is None:
        return None
    ran = max((run.started for run in history.runs), default=None)
    for what, moment in (
        ("its last run stands at", state.started),
        ("the end of its last run stands at", state.finished),
        ("a run of it stands at", ran),
    ):
        if moment is not None and is_ahead(moment, history.at):
            return Verdict("stale", f"{what} {local(moment)}, in the future: the clock was wrong then", _CLOCK)
    for what, moment, most in (
        ("due only from", state.due, run_most(history.every)),
        ("left alone until", state.blocked_until, BLOCKED_MOST),
    ):
        if moment is not None and is_ahead(moment, history.at, most):
            why = f"{what} {local(moment)}, which is further ahead than anything is put: the clock was wrong once"
            return Verdict("stale", why, _CLOCK)
    return None


def _stale(history: History) -> Verdict | None:
    state = history.state
    if state is None or state.due is None or (state.started and state.started > state.due):
        return None
    since = max(state.due, state.blocked_until or state.due)
    waits = (history.at - since).total_seconds()
    if waits <= max(_PATIENCE, 2 * history.every):
        return None
    return Verdict(
        "stale",
        f"due since {local(since)} ({duration(waits)}), and nothing has run it",
        "look whether cron runs and has the line: `newskeep schedule list`, `crontab -l`, the mails of cron",
    )


def _banned(history: History) -> Verdict | None:
    state, last = history.state, history.ended[:1]
    until = state.blocked_until if state else None
    waiting = until is not None and until > history.at
    if not waiting and not (last and last[0].state == "blocked"):
        return None
    why = f"blocked: {(state.blocked_reason if state else None) or _failures(last) or 'it refuses us'}"
    if state is not None and state.blocks > 1:
        why += f"; {counted(state.blocks, 'time')} in a row"
    if waiting and until is not None:
        why += f"; left alone until {local(until)}"
    do = "look at it in a browser; ask the site, name an `operator` it can reach, ask more rarely (`every`, `delay`)"
    return Verdict("banned", why, do)


def _walled(history: History) -> Verdict | None:
    """Most of what comes are walls: too few in a row for a block, or pages between them."""
    newest = history.newest(SAMPLE)
    pages = newest.archived + newest.walled
    if newest.walled < _PAGES_MIN or newest.walled * 2 <= pages:
        return None
    return Verdict(
        "banned",
        f"{newest.walled} of the last {pages} pages were walls: {_failures(history.runs) or 'it refuses us'}",
        "look at one in a browser; ask the site for another way in, or leave these pages out (`exclude`)",
    )


def _empty(history: History) -> Verdict | None:
    """Most of what is archived has no text."""
    newest = history.newest(SAMPLE)
    if newest.no_text < _PAGES_MIN or newest.no_text * 2 <= newest.archived:
        return None
    return Verdict(
        "empty",
        f"{newest.no_text} of the last {counted(newest.archived, 'page')} have no text",
        f"`newskeep crawl {history.site}` says why of each: what needs scripts cannot be read here, feeds or other "
        "addresses of the site may have the text; leave films and pictures out with `exclude`",
    )


def _failing(history: History) -> Verdict | None:
    failed = list(takewhile(lambda run: run.state == "failed", history.ended))
    # One that failed after others went well is a hiccup of the net.
    if not failed or len(failed) < min(2, len(history.ended)):
        return None
    times = f"{len(failed)} runs" if len(failed) > 1 else "its only run"
    return Verdict(
        "failing",
        f"{times} failed since {local(failed[-1].started)}: {_failures(failed) or 'no source answered'}",
        f"look whether its addresses are still right: `newskeep sites check {history.site}`",
    )


def _killed(history: History) -> Verdict | None:
    # The newest may be under way.
    killed = list(takewhile(lambda run: run.finished is None, history.runs[1:]))
    if len(killed) < _KILLED:
        return None
    return Verdict(
        "failing",
        f"{len(killed)} runs were killed before their end, the last one begun {local(killed[0].started)}",
        f"look for limits of memory and time on this machine; `newskeep crawl -v {history.site}`",
    )


def _redesign(history: History) -> Verdict | None:
    """Less text in its articles, or no dates any more."""
    new, old = history.samples()
    if not new.enough or not old.enough:
        return None
    if (new.length or 0) < (old.length or 0) * _COLLAPSED:
        what = f"{new.length:.0f} words an article, {old.length:.0f} before"
    elif (new.dateless or 0) - (old.dateless or 0) >= _SHARE_RISE:
        what = f"{new.dateless:.0%} of the articles have no date, {old.dateless:.0%} before"
    else:
        return None
    return Verdict(
        "redesign",
        f"pages come, but {what} (the last {new.articles} against {old.articles} before them)",
        "look at what is kept of a new page: `newskeep explain URL`; `newskeep reextract` makes the text again",
    )


def _doubtful(history: History) -> Verdict | None:
    """Its texts are in doubt more often than they were; the fewest articles that show it say it first."""
    for number in _JUDGED:
        new, old = history.doubt(number)
        if new.judged < number or old.judged < SAMPLE:
            return None
        if new.has_risen(old):
            return Verdict(
                "redesign",
                f"pages come, but {new.share:.0%} of the texts are doubtful, {old.share:.0%} before "
                f"(the last {new.judged} against {old.judged} in the month before them)",
                f"`newskeep doubts {history.site}` lists them, `newskeep explain URL` shows what is kept of one; "
                "`newskeep reextract` makes the text again",
            )
    return None


def _no_links(history: History) -> Verdict | None:
    """Sources answer, but hardly any links are found in them."""
    most: dict[int, int] = {}
    for run in history.ended:
        if run.state == "finished" and _has_read(run):
            day = (history.at - run.started) // DAY
            most[day] = max(most.get(day, 0), run.counts.announced)
    today = most.pop(0, None)
    if today is None or len(most) < DAYS_MIN:
        return None
    usual = median(most.values())
    if usual < _USUAL_MIN or today * _NEXT_TO_NOTHING > min(most.values()):
        return None
    return Verdict(
        "redesign",
        f"its sources answer, but name {counted(today, 'article')} at most; {usual:.0f} were usual",
        f"`newskeep sites check {history.site}` shows what is found; give new feeds, sitemaps or start pages",
    )


def _has_read(run: SiteRun) -> bool:
    """Whether a run has seen what sources name: one that only heard "not modified" tells nothing of it."""
    return run.counts.sources > 0


def _silent(history: History) -> Verdict | None:
    """Nothing new in a window that held something in all weeks before; the shortest such window says it best."""
    if history.asked(7) < _ASKED_MIN or (history.usual is not None and history.new(1) * _FEW > history.usual):
        return None
    for days in (1, 2, 4, 7):
        if history.asked(days) < _ASKED_MIN:
            continue
        found = history.new(days)
        usual, weekly = history.before(days)
        if not usual or not min(usual) or median(usual) < _USUAL_MIN or found * _NEXT_TO_NOTHING > min(usual):
            continue
        span, when = "24 hours" if days == 1 else f"{days} days", ", at this time of the week" if weekly else ""
        return Verdict(
            "silent",
            f"{found or 'nothing'} new in {span}; {min(usual)} to {max(usual)} were usual{when}",
            f"look whether its feeds have moved: `newskeep sites check {history.site}`",
        )
    return None


def _fell_silent(history: History) -> Verdict | None:
    """A site without a habit yet: articles on each day, then more empty days than a long weekend has."""
    counts = [count for _, count in reversed(history.days[:-1])]
    empty = next((place for place, count in enumerate(counts) if count), len(counts))
    busy = list(takewhile(bool, counts[empty:]))
    if empty < _EMPTY_MIN or history.new(1) or len(busy) < DAYS_MIN or not history.asked(empty):
        return None
    if history.before(1)[1]:
        return None  # There is a habit, and `_silent` knows it.
    return Verdict(
        "silent",
        f"nothing new in {counted(empty, 'day')}; {min(busy)} to {max(busy)} a day were usual",
        f"look whether its feeds have moved: `newskeep sites check {history.site}`",
    )


def _quiet(history: History) -> Verdict | None:
    """Less than a quarter of its usual day, and that is as it should be: `_silent` has looked."""
    usual = history.usual
    # With less than that a day, any day may be empty.
    found = history.new(1)
    if usual is None or usual < _USUAL_MIN or found * _FEW >= usual:
        return None
    before, weekly = history.before(1)
    then = f", {min(before)} to {max(before)} at this time of the week" if weekly else ""
    return Verdict("quiet", f"{found or 'nothing'} new in 24 hours; {usual:.0f} on most days{then}")


#: What stops the runs goes before what they find.
_LOOKS: tuple[Callable[[History], Verdict | None], ...] = (
    *(_never_run, _wrong_clock, _stale, _banned, _failing, _killed, _walled, _empty),
    *(_redesign, _doubtful, _no_links, _silent, _fell_silent, _quiet),
)


def _failures(runs: Sequence[SiteRun]) -> str:
    """Why requests failed, from the newest run that tells."""
    for run in runs:
        if run.problems and run.problems[0].startswith(NOTHING):
            return run.problems[0]
        if run.hosts:
            return "; ".join(f"{host}: {why}" for host, why in sorted(run.hosts.items())[:3])
        if run.problems:
            return run.problems[0]
    return ""
