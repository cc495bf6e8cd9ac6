"""JSON-LD as pages write it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from lxml.html import HtmlElement

from crawler.html.jsonld import Node, article_body, article_node, by_id, nodes

ARTICLE = {"@type": "NewsArticle", "headline": "Harbour closed", "datePublished": "2026-01-02", "articleBody": "Long."}


def tree(*scripts: str, kind: str = "application/ld+json") -> HtmlElement:
    found = "".join(f'<script type="{kind}">{script}</script>' for script in scripts)
    parsed = html.document_fromstring(f"<html><head>{found}</head><body><p>x</p></body></html>")
    assert isinstance(parsed, HtmlElement)
    return parsed


def headline(*scripts: str) -> object:
    return article_node(nodes(tree(*scripts))).get("headline")


WHOLE = json.dumps(ARTICLE)


@pytest.mark.parametrize(
    "script",
    [
        WHOLE,
        f"<!-- {WHOLE} -->",
        f"//<![CDATA[\n{WHOLE}\n//]]>",
        f"/*<![CDATA[*/ {WHOLE} /*]]>*/",
        WHOLE + ";",
        WHOLE[:-1] + ",}",
        WHOLE.replace("Long.", "Line\none\ttab\x07"),
        WHOLE.replace("Long.", r"It\'s"),
        WHOLE.replace('"', "&quot;"),
        WHOLE.replace('"', "&amp;quot;"),
        f"var data = {WHOLE}",
        WHOLE.replace(', "dateP', ', // when\n "dateP'),
        json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, ARTICLE]}),
        json.dumps([[ARTICLE]]),
        "\ufeff" + WHOLE,
        '{"@type": "WebSite"} ' + WHOLE,
        WHOLE.replace("Long.", 'He said "no" twice'),
    ],
)
def test_repairs(script: str) -> None:
    assert headline(script) == "Harbour closed"


def test_hopeless_scripts_are_left_out() -> None:
    assert headline("{", WHOLE, "<html>", "", "null", '"text"') == "Harbour closed"
    assert nodes(tree("{", "not json at all")) == []


def test_outer_objects_come_first_in_page_order() -> None:
    found = nodes(tree('{"@id": 1, "a": {"@id": 2}, "b": [{"@id": 3}]}', '{"@id": 4}'))
    assert [node["@id"] for node in found] == [1, 2, 3, 4]


def test_the_article_is_the_object_that_says_most() -> None:
    teaser = {"@type": "NewsArticle", "headline": "Other"}
    assert headline(json.dumps(teaser), WHOLE) == "Harbour closed"
    assert headline(json.dumps({"@type": ["Thing", "LiveBlogPosting"], "headline": "Live"})) == "Live"
    assert headline(json.dumps({"@type": "Person", "headline": "No"})) is None


def test_posts_of_a_live_blog_are_not_the_article() -> None:
    post = {**ARTICLE, "headline": "Loud bang", "author": "A", "image": "i", "mainEntityOfPage": "m"}
    blog = {"@type": "LiveBlogPosting", "headline": "Storm live", "liveBlogUpdate": [post]}
    assert headline(json.dumps(blog)) == "Storm live"


def test_body_is_plain_text() -> None:
    def body(text: object) -> str:
        return article_body([{"articleBody": text}, {"articleBody": "x"}, {"articleBody": 3}])

    assert body("One &amp;amp; two") == "One & two"
    assert body(["One.", "Two."]) == "One.\nTwo."
    assert body("<p>One <b>bold</b>.</p><p>Two.</p>").split("\n") == ["One bold.", "Two."]
    assert body("1 < 2 and 3 > 2") == "1 < 2 and 3 > 2"
    assert article_body([]) == ""


def test_objects_by_id_the_fullest_wins() -> None:
    found = by_id([{"@id": "#a"}, {"@id": "#a", "name": "Ann"}, {"@id": "#a", "x": 1}, {"@id": ["#b"]}])
    assert found == {"#a": {"@id": "#a", "name": "Ann"}}


def test_bounds() -> None:
    assert nodes(tree("[" * 100_000)) == []
    assert len(nodes(tree('{"a":' * 500 + "1" + "}" * 500))) == 41
    assert len(nodes(tree("[" + ",".join(["{}"] * 9_000) + "]"))) == 4_000
    assert nodes(tree('{"a": "' + "x" * 2_000_001 + '"}')) == []


@given(st.text(max_size=200))
def test_never_raises(script: str) -> None:
    root = html.document_fromstring('<html><head><script type="application/ld+json"></script></head><body/></html>')
    try:
        next(root.iter("script")).text = script
    except ValueError:
        return  # what lxml cannot hold, no page can hold
    found = nodes(root)
    article_node(found)
    article_body(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@type", "@id", "@graph", "headline", "author", "name", "articleBody", "hasPart"]), inner
        )
    ),
    max_leaves=12,
)


@given(VALUES)
def test_never_raises_for_json(value: object) -> None:
    root = tree("")
    next(root.iter("script")).text = json.dumps(value)
    found = nodes(root)
    assert all(isinstance(node, dict) for node in found)
    article_node(found)
    article_body(found)
    by_id(found)


OTHER = {**ARTICLE, "headline": "Ferry sails again", "author": "Bo", "image": "i", "url": "https://post.example/ferry"}


@pytest.mark.parametrize(
    "found",
    [
        [OTHER, {**ARTICLE, "url": "https://www.post.example/harbour/?from=feed"}],
        [OTHER, {**ARTICLE, "mainEntityOfPage": {"@id": "http://post.example/harbour#page"}}],
        [OTHER, {**ARTICLE, "@id": "https://post.example/harbour"}],
        # By what the page is called; by naming no other page.
        [OTHER, {**ARTICLE, "url": "https://cdn.example/amp/77", "headline": "Harbour &amp; quay closed"}],
        [OTHER, ARTICLE],
        [{"@type": "JobPosting", "headline": "Harbour master", "datePublished": "2026"}, ARTICLE],
        [{"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": OTHER}]}, ARTICLE],
    ],
)
def test_the_article_of_the_page_is_told_from_others(found: list[Node]) -> None:
    walked = nodes(tree(json.dumps(found)))
    chosen = article_node(walked, ["https://post.example/harbour"], ["Harbour & quay closed"])
    assert str(chosen.get("headline")).startswith("Harbour ")
    assert chosen.get("@type") == "NewsArticle"
