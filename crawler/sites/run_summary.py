"""What a run did, in lines for a person: of each site, and in all."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.frontier import frontier_of
from crawler.frontier.count_words import in_words
from storage.archive import Archive
from storage.model import RunState

#: Numbers of a run that are told behind the outcomes, where there are some.
_BESIDE = ("outside", "walled", "no_text", "not_article", "noarchive", "not_section")


def site_lines(archive: Archive, name: str, state: RunState, crawl: str) -> list[str]:
    """How the crawl of a site went in a run, what was wrong with its sources; what others wrote is in it as it is."""
    if state == "busy":
        return [f"{name}: another process is crawling it"]
    run = frontier_of(archive).run(name, crawl)
    if run is None:
        return [f"{name}: {state}"]
    counts = run.counts
    found = f"{counts.announced} announced, {counts.new} new"
    done = f"{counts.archived} archived, {counts.unchanged} unchanged, {counts.refused} refused, {counts.failed} failed"
    more = list(in_words(counts, _BESIDE))
    if counts.requisites:
        more.append("requisites: " + _counted(counts.requisites))
    line = f"{name}: {found}; {done}" + "".join(f"; {each}" for each in more)
    return [line + ("" if state == "finished" else f"; {state}"), *(f"  {problem}" for problem in run.problems)]


def total_line(counts: Mapping[str, int], requisites: Mapping[str, int], uri: str, crawl: str) -> str:
    """Outcomes of all URLs by kind, and where they are."""
    done = _counted(counts) or "nothing done"
    if requisites:
        done += f"; requisites: {_counted(requisites)}"
    return f"{done}; in {uri} (crawl {crawl})"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))
