"""Pages that are shells: their article is in the data of their scripts, in as many shapes as there are frameworks."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from crawler.extraction import extract
from crawler.extraction.embedded import literals, references
from crawler.extraction.embedded.scripts import data
from crawler.extraction.textless import cause_of
from crawler.html.document import parse
from storage.model import Article

URL = "https://www.news.example/2026/11/22/new-bridge-opens"
TITLE = "New bridge opens two years late"
PARAGRAPHS = [
    "The bridge over the river opened on Monday, two years later than promised, and a few hundred walked over it.",
    "Engineers had closed the old one in 2023 after cracks were found in two of its pillars, a long way from the bank.",
    "“We had stopped believing in it,” said Anna Berg, who runs the bakery and gave two hundred rolls to guests.",
]
HEADING = "What comes next"
LAST = (
    "The cost rose from 31 to 58 million; the council will have to say in spring where the difference is to come from, "
    "and which schools have to wait for it."
)
LINES = [*PARAGRAPHS, HEADING, LAST]
HTML = "".join(f"<p>{text}</p>" for text in PARAGRAPHS) + f"<h2>{HEADING}</h2><p>{LAST}</p>"
OTHERS = [
    {
        "title": f"Story number {number} about something else",
        "url": f"/2026/11/21/other-{number}",
        "body": "".join(
            f"<p>Paragraph {line} of story {number}, which is not that of this page and should not be in its text.</p>"
            for line in range(4)
        ),
    }
    for number in range(5)
]
ARTICLE = {
    "id": 812,
    "title": TITLE,
    "slug": "new-bridge-opens",
    "publishedAt": "2026-11-22T07:30:00Z",
    "author": {"name": "Jo Ann", "bio": "Jo Ann has written about towns for thirty years and lives in one with a dog."},
    "body": HTML,
}
INTERFACE = {
    "cookies": "We use cookies and similar technologies to measure how this site is used and to show you adverts.",
    "footer": "All content of this site is protected by copyright and may not be reproduced without permission.",
}

TABLES = {
    f"part{number}": {
        "note": f"Note {number} below the tables, in which nobody would look for what was opened on Monday."
    }
    for number in range(50)
}


def shell(data: str, title: str = f"{TITLE} | The Town News", root: str = '<div id="__next"></div>') -> str:
    head = f"<title>{title}</title><script src=/app.js></script>"
    return f"<!doctype html><html lang=en><head>{head}</head><body>{root}{data}</body></html>"


def island(value: Any, name: str = "__NEXT_DATA__") -> str:
    text = json.dumps(value).replace("</", "<\\/")
    return shell(f'<script id="{name}" type="application/json">{text}</script>')


def script(code: str) -> str:
    return shell(f"<script>{code}</script>")


def runs(text: str, node: str, key: str) -> list[dict[str, Any]]:
    """A paragraph in three runs, the second one bold."""
    return [
        {node: "text", key: text[:40]},
        {node: "text", key: text[40:60], "marks": ["bold"]},
        {node: "text", key: text[60:]},
    ]


def tree(node: str, paragraph: str, heading: str, inner: str, key: str) -> list[dict[str, Any]]:
    """A body in the manner of an editor: its names for nodes, paragraphs, headings, children and text."""
    found = [{node: paragraph, inner: runs(text, node, key)} for text in PARAGRAPHS]
    picture = {node: "image", "alt": "People on the new bridge on Monday morning, seen from the old one"}
    heading_ = {node: heading, inner: [{node: "text", key: HEADING}]}
    return [*found, picture, heading_, {node: paragraph, inner: [{node: "text", key: LAST}]}]


def flat(*lines: Any) -> list[Any]:
    return list(lines)


def react_rows() -> list[str]:
    """The stream of Next.js' app router, in pieces of 300 characters."""
    text = f"3:T{len(HTML.encode()):x},{HTML}"
    tree_ = json.dumps(["$", "$L2", None, {"article": {"title": TITLE, "url": URL, "html": "$3"}, "related": OTHERS}])
    stream = f'1:"$Sreact.fragment"\n2:I[12,["1","/x.js"],"Article"]\n{text}0:{tree_}\n'
    return [stream[at : at + 300] for at in range(0, len(stream), 300)]


def tagged(value: Any) -> list[Any]:
    """A value in the manner of Astro's props."""
    if isinstance(value, list):
        return [1, [tagged(item) for item in value]]
    return [0, {key: tagged(inner) for key, inner in value.items()} if isinstance(value, dict) else value]


def qwik(value: Any) -> list[Any]:
    """A list whose objects hold places in it, to base 36."""
    found: list[Any] = []

    def put(each: Any) -> str:
        if isinstance(each, dict):
            each = {key: put(inner) for key, inner in each.items()}
        elif isinstance(each, list):
            each = [put(inner) for inner in each]
        found.append(each)
        return np.base_repr(len(found) - 1, 36).lower()

    put(value)
    return found


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: Names the page, and has the text of others alone.
WITH_OTHERS = {"title": TITLE, "more": OTHERS}


def cache() -> dict[str, Any]:
    """A cache whose objects name their parts, other articles among them, and each other."""
    parts = {
        f"Text:{n}": {"__typename": "Paragraph", "text": text, "in": ref("Body:9")} for n, text in enumerate(LINES)
    }
    others = {f"Article:{n}": {"__typename": "Article", **other} for n, other in enumerate(OTHERS)}
    named = {"__typename": "Article", "title": TITLE, 'content({"config":"full"})': ref("Body:9")}
    seen = {"inline": {"__refs": list(others)}, "parts": [ref(name) for name in parts]}
    return {"Article:812": named, "Body:9": {"__typename": "Body", **seen}, **parts, **others}


def ref(name: str) -> dict[str, str]:
    return {"__ref": name}


ARTICLE_IN_LINES = {
    "title": TITLE,
    "slug": "new-bridge-opens",
    "lines": [{"type": "p", "text": text} for text in LINES],
}

SHAPES = {
    "Next.js, HTML": island({"props": {"pageProps": {"article": ARTICLE, "related": OTHERS, "i18n": INTERFACE}}}),
    "ProseMirror": island(
        {
            "article": {
                **ARTICLE,
                "body": {"type": "doc", "content": tree("type", "paragraph", "heading", "content", "text")},
            }
        }
    ),
    "Contentful": island(
        {
            "entry": {
                "fields": {
                    "headline": TITLE,
                    "body": {
                        "nodeType": "document",
                        "content": tree("nodeType", "paragraph", "heading-2", "content", "value"),
                    },
                }
            },
            "related": OTHERS,
        }
    ),
    "Slate": island({"post": {"title": TITLE, "content": tree("type", "paragraph", "heading", "children", "text")}}),
    "Portable Text": island(
        {
            "post": {
                "title": TITLE,
                "slug": {"current": "new-bridge-opens"},
                "body": [
                    {
                        "_type": "block",
                        "style": "h2" if text == HEADING else "normal",
                        "children": runs(text, "_type", "text"),
                    }
                    for text in LINES
                ],
            }
        }
    ),
    "Editor.js": island(
        {
            "headline": TITLE,
            "content": {
                "blocks": [
                    {"type": "header" if text == HEADING else "paragraph", "data": {"text": text}} for text in LINES
                ]
            },
        }
    ),
    "Draft.js": script(
        "window.__PRELOADED_STATE__ = "
        + json.dumps(
            {
                "article": {
                    "title": TITLE,
                    "raw": {
                        "blocks": [
                            {"text": text, "type": "header-two" if text == HEADING else "unstyled"} for text in LINES
                        ]
                    },
                },
                "others": OTHERS,
            }
        )
    ),
    "Arc": script(
        'window.Fusion=window.Fusion||{};Fusion.arcSite="x";Fusion.globalContent='
        + json.dumps(
            {
                "type": "story",
                "headlines": {"basic": TITLE},
                "canonical_url": "/2026/11/22/new-bridge-opens/",
                "content_elements": [
                    *({"type": "header" if text == HEADING else "text", "content": text} for text in LINES),
                    {"type": "image", "caption": "People on the bridge on Monday morning, shortly after it was opened"},
                    {"type": "interstitial_link", "content": "Read also this other story of the week, which is here"},
                ],
                "related_content": {"basic": OTHERS},
            }
        )
        + ';Fusion.globalContentConfig={"source":"x"};'
    ),
    "JSON in a string": script(
        "window.__INITIAL_DATA__="
        + json.dumps(
            json.dumps(
                {
                    "headline": TITLE,
                    "content": [
                        {
                            "type": "subheadline" if text == HEADING else "text",
                            "model": {
                                "blocks": [
                                    {
                                        "type": "paragraph",
                                        "model": {
                                            "text": text,
                                            "blocks": [
                                                {"type": "fragment", "model": {"text": text[:9]}},
                                                {"text": text[9:]},
                                            ],
                                        },
                                    }
                                ]
                            },
                        }
                        for text in LINES
                    ],
                }
            )
        )
    ),
    "Nuxt 2": script(
        "window.__NUXT__=(function(a,b,c){a.x=1;return {layout:'default',data:[{article:{id:b,"
        f'title:"{TITLE}",published:!0,body:c}}}}],error:a,other:{json.dumps(INTERFACE)}}}}}(null,812,'
        + json.dumps(HTML).replace("<", "\\u003C").replace("/", "\\u002F")
        + "));"
    ),
    "Nuxt 3": island(
        flat(
            *(["ShallowReactive", 1], {"data": 2, "state": 9}, ["ShallowReactive", 3], {"article-812": 4}),
            *({"title": 5, "slug": 6, "html": 7, "date": 8}, TITLE, "new-bridge-opens", HTML),
            *(["Date", "2026-11-22T07:30:00Z"], ["Reactive", 10], {}),
        ),
        "__NUXT_DATA__",
    ),
    "React Router": script(
        "window.__reactRouterContext.streamController.enqueue("
        + json.dumps(
            json.dumps(
                flat(
                    *({"_1": 2}, "loaderData", {"_3": 4}, "routes/article", {"_5": 6}, "article", {"_7": 8, "_9": 10}),
                    *("title", TITLE, "html", HTML),
                )
            )
        )
        + ");"
    ),
    "Remix": script(
        "window.__remixContext = " + json.dumps({"state": {"loaderData": {"routes/$": {"post": ARTICLE}}}})
    ),
    "Next.js, app router": shell(
        "".join(f"<script>self.__next_f.push([1,{json.dumps(piece)}])</script>" for piece in react_rows())
    ),
    "Apollo": script(
        'window.__APOLLO_STATE__={"Article:812":'
        + json.dumps(
            {
                "__typename": "Article",
                "title": TITLE,
                "body": [
                    {"__typename": "Subheading" if text == HEADING else "Paragraph", "text": text} for text in LINES
                ],
            }
        )
        + "".join(f',"Article:{number}":{json.dumps(other)}' for number, other in enumerate(OTHERS))
        + "}"
    ),
    "Apollo, in parts": script(f"window.__APOLLO_STATE__={json.dumps(cache())}"),
    "Astro": shell(
        f'<astro-island props="{html.escape(json.dumps({"article": tagged(ARTICLE_IN_LINES), "n": [0, 3]}))}">'
    ),
    "a variable": script(
        f"var pageData = {{headline: '{TITLE}', paragraphs: {json.dumps(LINES)}, footer: 'All rights'}};"
    ),
    "JSON-LD": shell(
        '<script type="application/ld+json">'
        + json.dumps({"@type": "NewsArticle", "headline": TITLE, "url": URL, "articleBody": "\n\n".join(LINES)})
        + "</script>"
    ),
    "WordPress": script(
        "window.__STATE__={post:"
        + json.dumps(
            {"link": f"{URL}/", "title": {"rendered": TITLE}, "content": {"rendered": HTML, "protected": False}}
        )
        + f",posts:{json.dumps(OTHERS)}}}"
    ),
    "Gutenberg": island(
        {
            "node": {
                "title": TITLE,
                "blocks": [
                    {
                        "blockName": "core/heading" if text == HEADING else "core/paragraph",
                        "innerHTML": f"\n<h2>{text}</h2>\n" if text == HEADING else f"\n<p>{text}</p>\n",
                    }
                    for text in LINES
                ],
            }
        }
    ),
    "an attribute": shell(
        "", root=f'<div id="app" data-page="{html.escape(json.dumps({"article": ARTICLE, "latest": OTHERS}))}"></div>'
    ),
    "SvelteKit's start": script(
        f'Promise.all([import("./start.js"),import("./app.js")]).then(([kit,app])=>{{kit.start(app,element,'
        f'{{node_ids:[0,2],data:[null,{{type:"data",data:{{article:{json.dumps(ARTICLE)},more:{json.dumps(OTHERS)}}},'
        "uses:{}}],form:null,error:null})})"
    ),
    "Qwik": shell(
        '<script type="qwik/json">'
        + json.dumps({"refs": {}, "ctx": {}, "objs": qwik({"article": ARTICLE, "more": OTHERS}), "subs": []})
        + "</script>"
    ),
    "base64": script(
        f'window.__DATA__=JSON.parse(atob("{in_base64(json.dumps({"article": ARTICLE, "more": OTHERS}))}"))'
    ),
    "base64 of UTF-8": script(
        "window.__DATA__=JSON.parse(decodeURIComponent(escape(window.atob('"
        + in_base64(json.dumps({"article": ARTICLE, "more": OTHERS}, ensure_ascii=False))
        + "'))))"
    ),
    "a type of its own": shell(
        f'<script type="text/x-page-data">{json.dumps({"article": ARTICLE, "more": OTHERS})}</script>'
    ),
    "a comment in a script": shell(
        '<script type="application/json" data-hypernova-key="Page"><!--'
        f"{json.dumps({'article': ARTICLE, 'more': OTHERS})}--></script>"
    ),
    "escaped": script(f'window.__DATA__=JSON.parse(decodeURIComponent("{quote(json.dumps({"article": ARTICLE}))}"))'),
    "found by its address": shell(
        f"<script>window.stories={json.dumps([*OTHERS, {**ARTICLE, 'url': '/2026/11/22/new-bridge-opens'}])}</script>",
        title="The Town News",
    ),
    "the text twice": island(
        {"article": {**ARTICLE, "plainText": "\n\n".join([*PARAGRAPHS, LAST]), "summary": PARAGRAPHS[0]}}
    ),
}


def article(page: str) -> Article:
    return extract(page, URL)


@pytest.mark.parametrize("page", SHAPES.values(), ids=SHAPES)
def test_the_article_of_a_shell_is_in_its_data(page: str) -> None:
    found = article(page)
    assert found.text == "\n\n".join(LINES)
    assert found.extractor is not None
    assert found.extractor.method.startswith("script data: ")
    assert found.title == TITLE
    assert cause_of(found, page.encode()) is None


def test_what_the_data_says_of_the_article_is_taken_from_there() -> None:
    found = article(SHAPES["Next.js, HTML"])
    assert (found.authors, found.published) == (("Jo Ann",), "2026-11-22T07:30:00+00:00")
    assert {found.sources[name] for name in ("title", "authors", "published")} == {"__NEXT_DATA__"}


@pytest.mark.parametrize(
    "page",
    [
        island({"props": {"related": OTHERS, "i18n": INTERFACE}}),
        island({"title": TITLE, "messages": INTERFACE}),
        island({"title": TITLE, "stories": OTHERS}),
        island({"url": URL, "stories": OTHERS}),
        script(
            f"window.dataLayer=[{{title:{json.dumps(TITLE)},path:'/2026/11/22/new-bridge-opens',category:'local'}}]"
        ),
        island({"path": {"currentPath": "2026/11/22/new-bridge-opens"}, "steps": [INTERFACE["cookies"]] * 5 + OTHERS}),
        island({"title": TITLE, "description": PARAGRAPHS[0], "share": {"title": TITLE, "text": PARAGRAPHS[0]}}),
        island({"title": TITLE, "teletext": " ".join(PARAGRAPHS), "rest": TABLES}),
        island({"title": TITLE, "sections": TABLES}),
        script(f"kit.start(app,element,{{data:[{{type:'data',data:{json.dumps(WITH_OTHERS)}}}]}})"),
        shell(f'<script type="qwik/json">{json.dumps({"objs": qwik(WITH_OTHERS), "subs": []})}</script>'),
        script(f"window.d=JSON.parse(atob('{in_base64(json.dumps(WITH_OTHERS))}'))"),
        shell(f'<script type="text/x-data">{json.dumps([*OTHERS, INTERFACE])}</script>'),
        shell(f'<script type="text/x-template" id="page">{HTML}</script>'),
        shell(f'<script type="application/json"><!--{json.dumps({"title": TITLE, "comments": OTHERS})}--></script>'),
        script(f"var translations={json.dumps({str(n): INTERFACE['cookies'] for n in range(30)})}"),
    ],
    ids=[
        "other articles",
        "words of the interface",
        "a front page",
        "its address",
        "statistics",
        "settings",
        "its description",
        "a part",
        "sections",
        "others of SvelteKit",
        "others of Qwik",
        "others in base64",
        "others of a type of its own",
        "a template",
        "comments in a comment",
        "translations",
    ],
)
def test_what_is_not_this_article_is_no_text(page: str) -> None:
    found = article(page)
    assert found.text == ""
    assert cause_of(found, page.encode()) is not None


READERS = [f"I walked over the bridge on Monday, two years late, and reader {n} was there as well." for n in range(9)]


@pytest.mark.parametrize(
    "more",
    [
        {"discussion": {"posts": [{"text": text} for text in READERS]}},
        {"userReplies": [{"message": text} for text in READERS]},
        {"responses": [{"body": text} for text in READERS]},
        {"entries": [{"userName": f"bridgefan{n}", "body": text} for n, text in enumerate(READERS)]},
        {"items": {str(n): {"avatar": "/a.png", "text": text} for n, text in enumerate(READERS)}},
        {"loginGate": {"heading": "Log in", "text": "Log in to read how the new bridge opens, two years late. " * 9}},
        {"signUp": ["You have read all of the bridge that is free; a member reads on for two years. "] * 9},
        {"terms-of-use": "Who walks over the new bridge of this site accepts what opens two years late. " * 9},
        {"errors": {str(n): f"The bridge that opens late could not be loaded, try it again {n}." for n in range(9)}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_stands_beside_an_article_that_is_not_there_is_no_text(more: dict[str, Any]) -> None:
    """The data names this page and has no body of it."""
    named = {"title": TITLE, "url": URL, "publishedAt": "2026-11-22T07:30:00Z"}
    found = article(island({"article": {**named, **more}}))
    assert found.text == ""
    assert LAST in article(island({"article": {**named, **more, "body": HTML}})).text


def test_the_name_of_the_paper_makes_no_other_story_that_of_the_page() -> None:
    other = {
        "headline": "Story of a railway",
        "content": [f"All the town was in the news, line {n} said." for n in range(12)],
    }
    assert article(island({"article": {"title": TITLE, "url": URL, "lead": other}})).text == ""


def test_a_page_that_shows_its_article_is_read_as_it_is_shown() -> None:
    shown = "".join(f"<p>{text} So it stood on the page itself.</p>" for text in PARAGRAPHS)
    data = f'<script type="application/json">{json.dumps({"article": ARTICLE})}</script>'
    found = article(shell(data, root=f"<article><h1>{TITLE}</h1>{shown}</article>"))
    assert found.extractor is not None
    assert found.extractor.method == "model"
    assert LAST not in found.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<news-article><template shadowrootmode=open>", "</template></news-article>"),
        ('<template id="B:0"></template><div hidden id="S:0">', '</div><script>$RC=1;$RC("B:0","S:0")</script>'),
    ],
    ids=["shadow root", "streamed by React"],
)
def test_what_a_browser_shows_without_a_script_of_the_site(before: str, after: str) -> None:
    found = article(
        f"<html><head><title>{TITLE}</title></head><body>{before}<h1>{TITLE}</h1>{HTML}{after}</body></html>"
    )
    assert found.extractor is not None
    assert found.extractor.method == "model"
    assert LAST in found.text


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("{a:1,'b':\"x\",c:[1,,2,],}", {"a": 1, "b": "x", "c": [1, 2]}),
        ("{a:!0,b:!1,c:void 0,d:undefined,e:NaN,f:-1.5e3,g:0x1F,h:12n}", None),
        (r"'it\'s \u0041\x41\u{1F600} \ud83d\ude00 <\/p>'", "it's AA\U0001f600 \U0001f600 </p>"),
        ("`a template\nof ${two} lines`", "a template\nof ${two} lines"),
        ("'one ' + 'text' + \" of three\"", "one text of three"),
        ('JSON.parse("{\\"k\\":[1]}")', {"k": [1]}),
        ('JSON.parse(atob("eyJrIjpbMV19"))', {"k": [1]}),
        ('decodeURIComponent(escape(atob("w6Q=")))', "ä"),
        ('atob("no base64!")', None),
        ('Object.freeze({a: new Map([["x", 1]])})', {"a": [["x", 1]]}),
        ("(function(a,b){var c={};return {x:a,y:[b]}}(1,'two'))", {"x": 1, "y": ["two"]}),
        ("(function(a){return {x:a}})(1)", None),
        ("{a: /* a remark */ 1, // and one more\n b: 2}", {"a": 1, "b": 2}),
    ],
)
def test_literals(code: str, value: Any) -> None:
    found, _ = literals.read(code)
    if value is not None:
        assert found == value


@pytest.mark.parametrize(
    "code", ["", "a b", "{a}", "[1 2]", "{a:1", "'open", "x => 1", "{...a}", "[" * 100_000, "{a:" * 9_999]
)
def test_what_is_no_literal_is_none(code: str) -> None:
    try:
        found, _ = literals.read(code)
    except ValueError:
        return
    assert found is None


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_it_is(value: Any) -> None:
    assert literals.read(f"{json.dumps(value)};more()")[0] == value


@given(some.text(alphabet="{}[]()'\"`\\:,;=+!?.ab1 \n/*functionreturn$", max_size=200))
def test_any_code_is_read_or_refused(code: str) -> None:
    with suppress(ValueError):
        literals.read(code)


def test_a_list_whose_parts_name_each_other_ends() -> None:
    doubling: Sequence[Any] = [{"a": 1}, *([at + 1, at + 1] for at in range(1, 60)), "the end"]
    assert references.joined(list(doubling)) is not None
    assert references.joined([{"self": 0}, 1]) is not None


@given(some.text(alphabet='0123:T,["]{}$\n', max_size=200))
def test_any_stream_has_rows(stream: str) -> None:
    references.rows(stream)


#: Characters of a script that is long and hostile.
LONG = 5_000_000
#: What a hostile script repeats; where each begins, something might be read that never ends.
REPEATED = {
    "a word": "a",
    "words": "ab cd ",
    "quotes": '"',
    "backslashes": "\\",
    "quotes behind backslashes": '\\"',
    "strings that are open": "a='\\",
    "lists": "a=[",
    "lists in calls": "a([",
    "objects": "a={",
    "comments that are open": "a=[/*",
    "lines of comment": "a=[//",
    "functions": "a=function(){",
    "calls": "a(",
    "broken JSON": 'a=[{"b":1},',
    "templates": "a=`${",
    "strings put together": "'b'+",
    "negations": "a=[!",
    "short values": "a=1;b=[2];",
}
#: Those that are tried at every run.
DEAREST = {"a word", "quotes", "backslashes", "comments that are open"}


@pytest.mark.parametrize(
    "repeated",
    [
        pytest.param(text, id=name, marks=[] if name in DEAREST else [pytest.mark.exhaustive])
        for name, text in REPEATED.items()
    ],
)
def test_hostile_scripts_cost_what_their_length_does(repeated: str) -> None:
    # One that costs the square of it goes on for hours: the limit of the test ends it.
    code = f"x=[{repeated * (LONG // len(repeated))}"
    tree = parse(f"<html><script>{code}</script>")
    assert tree is not None
    assert all(isinstance(found.name, str) for found in data(tree))
