"""Spiders by name: the classes of the project, and one for each site of newskeep.toml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from crawler.config import Config, load
from crawler.sites.site import RESERVED, Site, load_sites
from crawler.spider_modules import spider_modules

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.settings import BaseSettings


class SiteLoader(SpiderLoader):
    """Scrapy's loader that knows the sites of the configuration file as well: `scrapy list`, `scrapy crawl NAME`."""

    def __init__(self, settings: BaseSettings) -> None:
        super().__init__(settings)
        self._file: str | None = settings.get("CONFIG_FILE")

    @cached_property
    def _configured(self) -> Mapping[str, Site]:
        # Only when it is asked for: reading ten thousand tables takes a second.
        return load_sites(load(Path(self._file) if self._file else None))

    def load(self, spider_name: str) -> type[Spider]:
        """Return the class of a name; raises `KeyError`."""
        # A table goes before the class it stands for, which it may change.
        if spider_name in RESERVED or spider_name not in self._configured:
            return super().load(spider_name)
        site = self._configured[spider_name]
        return type(f"Site_{spider_name}", (super().load(site.spider),), {"name": spider_name, "declared": site})

    def list(self) -> list[str]:
        return [*super().list(), *(name for name in self._configured if name not in self._spiders)]


def declared_sites(config: Config) -> dict[str, Site]:
    """Return the sites that are spider classes, by name.

    Raises `ConfigError` for one that is declared wrongly, or a module that cannot be imported.
    """
    modules = spider_modules(config.spider_modules, config.file)
    settings = Settings({"SPIDER_MODULES": modules, "SPIDER_LOADER_WARN_ONLY": False})
    loader = SpiderLoader(settings)
    found: dict[str, Site] = {}
    for name in loader.list():
        declared = getattr(loader.load(name), "site_of_class", None)
        site = declared() if declared is not None and name not in RESERVED else None
        if site is not None:
            found[name] = site
    return found
