"""`scrapy crawl NAME`: as Scrapy's own, with the exit code of `newskeep crawl` and a line for what went wrong."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from scrapy.commands import crawl

from crawler.config import variables_without_effect
from crawler.run import result_alone
from crawler.session.faults import fault_of
from crawler.sites.context import attached
from storage.errors import NewskeepError, UsageError

if TYPE_CHECKING:
    import argparse

    from scrapy.crawler import Crawler


class Command(crawl.Command):
    """Exit codes: those of newskeep (`storage.errors`); 4 or 5 where pages or the site failed."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            # Scrapy has a line for it.
            super().run(args, opts)
        for line in variables_without_effect():
            print(f"scrapy crawl: {line}", file=sys.stderr)
        try:
            self.exitcode = self._crawled(args[0], opts)
        except NewskeepError as error:
            print(f"scrapy crawl: {error}", file=sys.stderr)
            self.exitcode = error.exit_code

    def _crawled(self, name: str, opts: argparse.Namespace) -> int:
        """Run the crawl to its end and return its exit code; raises `NewskeepError` where it did not begin."""
        process = self.crawler_process
        assert process is not None
        crawler = self._named(name)
        crawling = asyncio.ensure_future(process.crawl(crawler, **opts.spargs))
        process.start()
        context = attached(crawler)
        error = crawling.exception() if crawling.done() and not crawling.cancelled() else None
        if error is not None:
            if context is not None:
                context.session.close()
            raise fault_of(error)
        return result_alone(crawler, context).exit_code if context is not None else NewskeepError.exit_code

    def _named(self, name: str) -> Crawler:
        try:
            return self._create_crawler(name)
        except KeyError:
            raise UsageError(f"no spider or site is named {name!r}; `scrapy list` names them") from None
