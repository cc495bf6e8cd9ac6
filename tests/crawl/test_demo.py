"""`newskeep demo`: both papers archived, no line of boilerplate kept, no paragraph lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command import Run

from newskeep.demo import DemoArticle, papers
from storage import open_archive
from storage.model import Article

EXPECTED = {article.path: article for paper in papers() for article in paper.articles}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def test_demo_archives_and_explains(newskeep: Run, folder: Path) -> None:
    done = newskeep("demo", "--archive", str(folder / "archive"))
    assert done.returncode == 0, done.stderr.decode()
    out = done.stdout.decode()
    assert "24 articles" in out
    assert "repeated on" in out
    articles = held(folder / "archive")
    assert articles.keys() == EXPECTED.keys()
    for path, article in articles.items():
        check(article, EXPECTED[path])


def held(archive: Path) -> dict[str, Article]:
    with open_archive(archive) as opened:
        return {urlsplit(article.url).path: article for article in opened.articles()}


def check(article: Article, expected: DemoArticle) -> None:
    kept = [block.text for block in article.blocks if block.kept]
    assert not {*expected.boilerplate} & {*kept}
    assert [text for text in kept if text in expected.paragraphs] == list(expected.paragraphs)
    assert article.title == expected.title
    assert article.authors == expected.authors
    assert article.language == expected.language
    assert article.published is not None
    assert datetime.fromisoformat(article.published) == datetime.fromisoformat(expected.published)
    assert article.description == expected.standfirst
