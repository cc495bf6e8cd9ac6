"""A site's history in numbers, and what can be read off it. Pure: no clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import comb
from statistics import median

from crawler.frontier.address_state import SiteRun, SiteState
from crawler.frontier.run_counts import RunCounts
from storage.model import DOUBTFUL, RunState

DAY = timedelta(days=1)
#: Weeks of the habit: enough for a median over equal weekdays, few enough to follow the seasons.
HABIT_WEEKS = 8
#: Weeks before, without which there is no habit of weekdays.
_WEEKS_MIN = 3
#: And days, of anything.
DAYS_MIN = 3
#: Weeks after which a silence is forgotten.
_ASLEEP_MAX = 52
#: Days whose articles are compared by how sure their text is: a month, and the newest ones.
JUDGED_DAYS = 37
_MONTH = timedelta(days=30)
#: Of the share of doubtful articles, and less than one false alarm in a thousand looks.
_DOUBT_TIMES, _DOUBT_RISE, _CHANCE = 2, 0.2, 0.001
#: Articles that are compared: lengths scatter about as widely as their mean, so the mean of 20 is known to a quarter.
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class History:
    """What verdicts are made of. Times are in UTC."""

    site: str
    at: datetime
    #: Seconds between runs, as configured.
    every: float
    state: SiteState | None = None
    #: Newest first.
    runs: Sequence[SiteRun] = ()
    #: Articles that were held of each of the last days, in UTC, the oldest first; the last one is not over yet.
    days: Sequence[tuple[date, int]] = ()
    #: How many articles were announced from one time until before another, each whole days before `at`.
    announced: Callable[[datetime, datetime], int] = lambda since, until: 0
    #: When the articles of the last `JUDGED_DAYS` were captured, and how sure their text is; the newest first.
    confidences: Sequence[tuple[datetime, float]] = ()

    def new(self, days: int, back: int = 0) -> int:
        """Articles that were announced in so many days, which ended so many days ago."""
        until = self.at - back * DAY
        return self.announced(until - days * DAY, until)

    def before(self, days: int) -> tuple[list[int], bool]:
        """What such a window held in the weeks before, newest first, and `True`.

        In a young history also what the windows just before it held, and `False`. Empty where there is no habit yet.
        Weeks in which there was nothing at all up to now are the silence itself, and no habit.
        """
        asleep = self._weeks_asleep()
        weeks = _watched([self.new(days, 7 * (asleep + back)) for back in range(1, HABIT_WEEKS + 1)])
        if len(weeks) >= _WEEKS_MIN:
            return weeks, True
        # A week of them at least, so that a weekend is among them.
        number = max(DAYS_MIN, -(-7 // days))
        windows = _watched([self.new(days, days * back) for back in range(1, number + 1)])
        # And the same days of one week before: two days may fall on the weekend or across its ends.
        return (windows + weeks, False) if len(windows) == number and weeks else ([], False)

    def _weeks_asleep(self) -> int:
        """Whole weeks without anything, up to now."""
        return next((back for back in range(_ASLEEP_MAX) if self.new(7, 7 * back)), 0)

    @property
    def usual(self) -> float | None:
        """The articles of most days; `None` where less than a week was watched."""
        watched = _watched([count for _, count in reversed(self.days[:-1])])
        return median(watched) if len(watched) >= 7 else None

    def asked(self, days: int) -> int:
        """Runs that went well in the last days."""
        return sum(1 for run in self.ended if run.started >= self.at - days * DAY and run.state not in _BAD)

    @property
    def ended(self) -> list[SiteRun]:
        """Runs that say something of the site, newest first: not those under way, killed or stopped by us, nor those
        that found nothing to ask for.
        """
        return [run for run in self.runs if run.state not in {None, "stopped"} and not _idle(run)]

    def samples(self) -> tuple[Sample, Sample]:
        """The newest runs with enough articles together, and all that were before."""
        articles = 0
        for number, run in enumerate(self.runs, 1):
            articles += run.counts.archived - run.counts.no_text
            if articles >= SAMPLE:
                return Sample.of(self.runs[:number]), Sample.of(self.runs[number:])
        return Sample.of(self.runs), Sample.of(())

    def doubt(self, number: int) -> tuple[Doubt, Doubt]:
        """The doubt of so many articles, the newest, and that of the month before them."""
        new, before = self.confidences[:number], self.confidences[number:]
        begin = (new[-1][0] if new else self.at) - _MONTH
        return Doubt.of(new), Doubt.of([each for each in before if each[0] >= begin])

    def newest(self, pages: int) -> RunCounts:
        """What the newest runs counted that came upon so many pages together; all runs, where there were fewer."""
        found = RunCounts()
        for run in self.runs:
            found.archived += run.counts.archived
            found.walled += run.counts.walled
            found.no_text += run.counts.no_text
            if found.archived + found.walled >= pages:
                break
        return found


_BAD: frozenset[RunState] = frozenset({"failed", "blocked"})


def _idle(run: SiteRun) -> bool:
    return run.state == "finished" and not run.counts.requests


@dataclass(frozen=True, slots=True)
class Sample:
    """Sums over the articles that some runs archived; pages without text are none."""

    articles: int
    words: int
    undated: int

    @classmethod
    def of(cls, runs: Sequence[SiteRun]) -> Sample:
        counts = [run.counts for run in runs]
        archived, words = sum(each.archived - each.no_text for each in counts), sum(each.words for each in counts)
        return cls(archived, words, sum(each.undated for each in counts))

    @property
    def enough(self) -> bool:
        return self.articles >= SAMPLE

    @property
    def length(self) -> float | None:
        """Words an article."""
        return self.words / self.articles if self.articles else None

    @property
    def dateless(self) -> float | None:
        """The share of articles without a date."""
        return self.undated / self.articles if self.articles else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """How many articles have a confidence, and how many of them are doubtful."""

    judged: int
    doubtful: int

    @classmethod
    def of(cls, confidences: Sequence[tuple[datetime, float]]) -> Doubt:
        return cls(len(confidences), sum(confidence < DOUBTFUL for _, confidence in confidences))

    @property
    def share(self) -> float | None:
        """The share of doubtful articles."""
        return self.doubtful / self.judged if self.judged else None

    def has_risen(self, before: Doubt) -> bool:
        """Whether the share is clearly larger: more than twice what it was, a fifth of all more, and not by chance."""
        share, usual = self.share or 0.0, before.share or 0.0
        is_large = share > _DOUBT_TIMES * usual and share - usual >= _DOUBT_RISE
        return is_large and self._chance(before) < _CHANCE

    def _chance(self, before: Doubt) -> float:
        """How likely so many or more are doubtful where nothing has changed: binomial, the share by Laplace's rule."""
        usual = (before.doubtful + 1) / (before.judged + 2)
        return sum(
            comb(self.judged, number) * usual**number * (1 - usual) ** (self.judged - number)
            for number in range(self.doubtful, self.judged + 1)
        )


def _watched(counts: list[int]) -> list[int]:
    """Counts without those from before the site was known: the empty ones at the old end."""
    return counts[: max((place for place, count in enumerate(counts, 1) if count), default=0)]
