"""Health in Prometheus' text format 0.0.4, for node_exporter's textfile collector or a server that runs the command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from newskeep.health.collect import COVERAGE_DAYS, Health
from newskeep.health.history import SAMPLE
from newskeep.health.verdicts import KINDS

#: Metric -> what it says. All are gauges: each is what the last look found.
HELP = {
    "newskeep_site_verdict": "1 for the verdict that holds, 0 for the others.",
    "newskeep_site_trouble": "1 when somebody has to look after the site.",
    "newskeep_site_every_seconds": "Time between two runs, as configured.",
    "newskeep_site_last_run_timestamp_seconds": "When the last run began.",
    "newskeep_site_last_success_timestamp_seconds": "When the last run began that went well.",
    "newskeep_site_next_run_timestamp_seconds": "When the site is due.",
    "newskeep_site_blocked_until_timestamp_seconds": "Until when the site is left alone because it blocked us.",
    "newskeep_site_new_articles": "Articles announced in the last 24 hours.",
    "newskeep_site_usual_articles": "Articles held of most days (median of eight weeks).",
    "newskeep_site_announced_articles": f"Articles announced in the last {COVERAGE_DAYS} days.",
    "newskeep_site_articles": f"Articles announced in the last {COVERAGE_DAYS} days, by what became of them.",
    "newskeep_site_capture_delay_seconds": "Median time from announcement to capture.",
    "newskeep_site_article_words": "Words an article, of the newest articles.",
    "newskeep_site_undated_ratio": "Share of the newest articles without a date, 0 to 1.",
    "newskeep_site_doubtful_ratio": "Share of the newest articles whose text is doubtful, 0 to 1.",
    "newskeep_site_last_run_count": "Counts of the last run, by name.",
}
Row = tuple[str, Mapping[str, str], float]


def render(healths: Iterable[Health]) -> str:
    """The metrics of sites; each metric's samples stand together, as the format wants it."""
    samples: dict[str, list[str]] = {name: [] for name in HELP}
    for health in healths:
        for name, labels, value in _rows(health):
            samples[name].append(f"{name}{_labels({'site': health.site, **labels})} {_number(value)}")
    lines = []
    for name, rows in samples.items():
        if rows:
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge", *rows]
    return "\n".join([*lines, ""])


def _rows(health: Health) -> Iterator[Row]:
    site, history, coverage = "newskeep_site_", health.history, health.coverage
    for kind in KINDS:
        yield f"{site}verdict", {"verdict": kind}, health.verdict.kind == kind
    yield f"{site}trouble", {}, health.verdict.trouble
    yield f"{site}every_seconds", {}, history.every
    state = history.state
    moments = {
        "last_run": history.runs[0].started if history.runs else None,
        "last_success": next((run.started for run in history.ended if run.state in {"finished", "time limit"}), None),
        "next_run": state.due if state else None,
        "blocked_until": state.blocked_until if state else None,
    }
    for name, moment in moments.items():
        if moment is not None:
            yield f"{site}{name}_timestamp_seconds", {}, moment.timestamp()
    yield f"{site}new_articles", {}, history.new(1)
    new, _ = history.samples()
    figures = {
        "usual_articles": history.usual,
        "announced_articles": coverage.announced,
        "capture_delay_seconds": coverage.median_delay,
        "article_words": new.length,
        "undated_ratio": new.dateless,
        "doubtful_ratio": history.doubt(SAMPLE)[0].share,
    }
    for name, figure in figures.items():
        if figure is not None:
            yield f"{site}{name}", {}, figure
    states: dict[str, int] = {}
    for group in coverage.groups:
        states[group.state] = states.get(group.state, 0) + group.count
    for became, count in states.items():
        yield f"{site}articles", {"state": became}, count
    if history.runs:
        for name, count in history.runs[0].counts.named():
            yield f"{site}last_run_count", {"count": name}, count


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
