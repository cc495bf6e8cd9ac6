"""Headline, date and authors where themes and scripts have them: in no heading, in the foot, without capitals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.extraction.metadata import Metadata, metadata
from crawler.html.document import parse

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TITLE = "Storm shuts the swing bridge in Ashwick"
STORY = "<p>The harbour master closed the bridge when the gusts grew too strong for it, and opened it at noon.</p>" * 3


def found(markup: str, title: str = f"{TITLE} - Example Courier", lang: str = "en", text: str = "") -> Metadata:
    tree = parse(f"<html lang={lang}><head><title>{title}</title></head><body>{markup}</body></html>")
    assert tree is not None
    return metadata(tree, "https://paper.example/1", text, now=NOW)


@pytest.mark.parametrize(
    "markup",
    [
        f"<div class=t>{TITLE}</div><div class=d>9 January 2026</div><div>{STORY}</div>",
        f"<table><tr><td><font size=5><b>{TITLE}</b></font><br><font size=2>9 January 2026</font>{STORY}</table>",
        f"<table><tr><td>{TITLE}</td></tr><tr><td class=x>9 January 2026</td></tr><tr><td>{STORY}</td></tr></table>",
        f"<a href=/>{TITLE}</a><span id=title>{TITLE}</span><span>January 9, 2026</span>{STORY}",
    ],
)
@pytest.mark.parametrize("title", [f"{TITLE} - Example Courier", f"Courier Online: {TITLE}", TITLE])
def test_a_headline_need_not_be_a_heading(markup: str, title: str) -> None:
    page = found(markup, title)
    assert page.title == TITLE
    assert page.published == "2026-01-09"


def test_a_line_that_a_title_does_not_name_is_no_headline() -> None:
    assert found(f"<div>Read this first, everybody</div>{STORY}").title == f"{TITLE} - Example Courier"


def test_a_date_may_stand_in_an_element_of_the_site_s_own() -> None:
    page = found(f"<x-head><h1>{TITLE}</h1><x-date>2 February 2026</x-date></x-head><x-body>{STORY}</x-body>")
    assert page.published == "2026-02-02"


@pytest.mark.parametrize(
    "foot",
    [
        "<footer class=meta>On <time datetime=2026-01-26>January 26</time> by <a rel=author>Mo Reyes</a></footer>",
        (
            '<div class="post-footer"><span class="author vcard">Posted by <span class=fn>Mo Reyes</span></span>'
            ' <abbr class=published title="2026-01-26T09:30:00+02:00">9:30</abbr></div>'
        ),
    ],
)
def test_the_foot_of_an_article_says_who_wrote_it_and_when(foot: str) -> None:
    page = found(f'<article class="post hentry"><h1>{TITLE}</h1>{STORY}{foot}</article>')
    assert page.authors == ("Mo Reyes",)
    assert (page.published or "")[:10] == "2026-01-26"


def test_the_foot_of_a_page_says_neither() -> None:
    foot = "<footer><time datetime=2026-01-26>26 January</time> by <a rel=author>Mo Reyes</a></footer>"
    page = found(f"<article><h1>{TITLE}</h1>{STORY}</article>{foot}")
    assert (page.authors, page.published) == ((), None)


@pytest.mark.parametrize(
    ("byline", "author"),
    [
        ("<a class=author href=/a>देवेंद्र चौहान</a>", "देवेंद्र चौहान"),
        ("<div class=byline>ธนากร ศรีสวัสดิ์ <span>06/11/2026</span></div>", "ธนากร ศรีสวัสดิ์"),
        ("<span class=writer>كتب: نزار القباني</span>", "نزار القباني"),
        ("<div>2026年11月1日 来源：城市晚报 作者：陈思远</div>", "陈思远"),
        ("<p class=byline>Cal Rigby cal@courier.example</p>", "Cal Rigby"),
        ("<div class=byline><span>Words by Rosa Klein</span><span>Photographs by Lee Chu</span></div>", "Rosa Klein"),
    ],
)
def test_bylines_of_the_world(byline: str, author: str) -> None:
    assert found(f"<article><h1>{TITLE}</h1>{byline}{STORY}</article>").authors == (author,)


@pytest.mark.parametrize(
    "byline", ["<div class=author-box>देवेंद्र चौहान हमारे साथ बीस साल से हैं</div>", "<div class=author>新华社</div>"]
)
def test_what_else_stands_there_is_no_name(byline: str) -> None:
    assert found(f"<article><h1>{TITLE}</h1>{byline}{STORY}</article>").authors == ()


def test_chinese_reporters_are_named_one_after_the_other() -> None:
    page = found(f"<article><h1>{TITLE}</h1><p class=author>本报记者 张晓莉 张羽</p>{STORY}</article>", lang="zh")
    assert page.authors == ("张晓莉", "张羽")


def test_a_korean_report_ends_with_its_reporter() -> None:
    told = "시의회는 화요일 저녁 긴 토론 끝에 낡은 곡물 창고를 고쳐 짓는 계획을 통과시켰다."
    text = f"{told}\n오민석 기자 oms@ilbo.example\n구독하기"
    assert found(
        f"<h1>{TITLE}</h1><div>{told}<br>오민석 기자 oms@ilbo.example</div>", lang="ko", text=text
    ).authors == ("오민석",)
    assert found(f"<h1>{TITLE}</h1><div>{told}</div>", lang="ko", text=f"{told}\n한국 기자가 말했다.").authors == ()
