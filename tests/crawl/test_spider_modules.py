"""Spiders of a user's own: in a module that newskeep.toml names, and in a package that is installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from origin import Origin
from small_paper import Paper
from warm_start import shared

MAIN = "from newskeep.cli import main; main()"
SPIDER = """
from spiders.base import NewsSpider

class Town(NewsSpider):
    name = "town"
    start_urls = [{url!r}]
    delay = 0
"""
# Opening goes on for a while after the signal has been heard.
STOPPED = """
    @classmethod
    def from_crawler(cls, crawler, *arguments, **named):
        import asyncio, os, signal
        from scrapy import signals

        async def stop():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.5)

        cls.stop = stop
        crawler.signals.connect(stop, signals.{moment})
        return super().from_crawler(crawler, *arguments, **named)
"""


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        Paper(origin, stories=2)
        yield origin


def run(
    *arguments: str, cwd: Path, environment: Mapping[str, str], path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as one that is installed: its own folder is on the path, and `path`, the current one is not."""
    if path is None:
        done = shared().run(arguments, cwd, environment)
    else:
        code = f"import sys; sys.path.append({str(path)!r}); sys.argv[0] = 'newskeep'; {MAIN}"
        done = shared().python(code, *arguments, cwd=cwd, environment=environment)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def crawled(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return sorted(line["outcome"] for line in map(json.loads, done.stdout.splitlines()))


def test_a_module_beside_the_configuration(origin: Origin, tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "newskeep.toml").write_text('allow_private = true\nworkers = 1\nspider_modules = ["town_spiders"]\n')
    (tmp_path / "town_spiders.py").write_text(SPIDER.format(url=origin.url()))
    # The folder is the last place that is looked in.
    (tmp_path / "colorsys.py").write_text("raise SystemExit('a file of the user went before the standard library')")
    listed = run("sites", cwd=tmp_path, environment=environment)
    assert "town" in listed.stdout, listed.stderr
    assert crawled(run("crawl", "town", "--json", cwd=tmp_path, environment=environment)) == ["archived", "archived"]


def test_a_table_changes_what_such_a_class_declares(
    origin: Origin, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    (tmp_path / "newskeep.toml").write_text(
        'allow_private = true\nworkers = 1\nspider_modules = ["town_spiders"]\n[sites.town]\nexclude = ["story-2"]\n'
    )
    (tmp_path / "town_spiders.py").write_text(SPIDER.format(url=origin.url()))
    assert crawled(run("crawl", "town", "--json", cwd=tmp_path, environment=environment)) == ["archived"]


def test_an_installed_package(origin: Origin, tmp_path: Path, environment: Mapping[str, str]) -> None:
    site = tmp_path / "site-packages"
    (site / "town_news").mkdir(parents=True)
    (site / "town_news" / "__init__.py").touch()
    (site / "town_news" / "spiders.py").write_text(SPIDER.format(url=origin.url()))
    info = site / "town_news-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: town-news\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[newskeep.spiders]\ntown = town_news.spiders\n")
    arguments = ("crawl", "town", "--json", "--allow-private")
    done = run(*arguments, cwd=tmp_path, environment=environment, path=site)
    assert crawled(done) == ["archived", "archived"]
    (site / "town_news" / "spiders.py").write_text("import nothing_of_this_name\n")
    broken = run(*arguments, cwd=tmp_path, environment=environment, path=site)
    assert broken.returncode == 2
    assert "entry point 'town' of town-news: cannot import 'town_news.spiders'" in broken.stderr
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize("command", [("sites",), ("crawl", "https://town.example/"), ("save", "https://town.example/")])
def test_a_module_that_cannot_be_imported_is_named(
    command: tuple[str, ...], tmp_path: Path, environment: Mapping[str, str]
) -> None:
    (tmp_path / "newskeep.toml").write_text('spider_modules = ["twon"]\n')
    done = run(*command, cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "newskeep.toml: spider_modules: cannot import 'twon'" in line


@pytest.mark.parametrize("name", ["spiders", "spiders.town", "crawler"])
def test_a_module_with_the_name_of_ours_is_refused(name: str, tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "newskeep.toml").write_text(f'spider_modules = ["{name}"]\n')
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "town.py").touch()
    done = run("sites", cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"newskeep.toml: spider_modules: {name!r} means Newskeep's own package" in line
    assert "another name" in line


def test_a_list_must_be_one_of_texts(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "newskeep.toml").write_text("spider_modules = 3\n")
    done = run("sites", cwd=tmp_path, environment=environment)
    assert done.returncode == 2
    assert "spider_modules must be a list of texts, not 3" in done.stderr


@pytest.mark.parametrize("moment", ["spider_opened", "engine_started"])
def test_a_stop_while_a_spider_is_being_opened_ends_its_crawl(
    origin: Origin, tmp_path: Path, environment: Mapping[str, str], moment: str
) -> None:
    (tmp_path / "newskeep.toml").write_text('allow_private = true\nworkers = 1\nspider_modules = ["town_spiders"]\n')
    (tmp_path / "town_spiders.py").write_text(SPIDER.format(url=origin.url()) + STOPPED.format(moment=moment))
    done = run("crawl", "town", "--json", cwd=tmp_path, environment=environment)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert not any("story" in entry.path for entry in origin.log)
