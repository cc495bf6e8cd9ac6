"""All checks, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from newskeep.doctor import archive, configuration, program, queue, schedule
from newskeep.doctor.finding import Finding, warned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.config import Config


def examine(config: Config, mistakes: Sequence[str], *, has_archive: bool) -> Iterator[Finding]:
    """Yield what each check finds, as it is found; none of them changes anything but a probe in the store.

    `mistakes` are those of the configuration; without `has_archive` they may have hidden which archive is meant, which
    then is not looked at.
    """
    yield from program.findings()
    yield from configuration.findings(config, mistakes)
    if not has_archive:
        yield warned("archive", "not looked at, since the configuration may name another one", "mend that first")
        return
    yield from archive.findings(config)
    yield from queue.findings(config)
    yield from schedule.findings(config)
