"""Cutting a page into blocks: where a line ends, what kind it is, why it cannot be text."""

from __future__ import annotations

import pytest

from crawler.extraction.container import most_text
from crawler.html.blocks import cut
from crawler.html.document import body, lean, parse
from crawler.html.elements import Cut


def cuts(markup: str) -> list[Cut]:
    tree = parse(f"<!doctype html><html><body>{markup}</body></html>")
    assert tree is not None
    return cut(body(tree))


def texts(markup: str) -> list[str]:
    return [one.text for one in cuts(markup)]


def test_inline_tags_put_no_space_and_block_tags_lose_none() -> None:
    assert texts("<div>un<b>believ</b>able<div>next</div>tail <a href=x>link</a>, end</div>") == [
        "unbelievable",
        "next",
        "tail link, end",
    ]


def test_line_break_ends_a_block() -> None:
    first, second = cuts("<p>one<br>two</p>")
    assert (first.text, first.broken, second.text, second.broken) == ("one", False, "two", True)


def test_unknown_tags_are_inline() -> None:
    assert texts("<p>a<x-word>b</x-word>c</p>") == ["abc"]


@pytest.mark.parametrize(
    ("text", "language"),
    [("東京都は今日発表した。", "ja"), ("الخبر اليوم من القاهرة", "ar"), ("ข่าววันนี้", "th"), ("Новость дня", "ru")],
)
def test_every_script_has_blocks(text: str, language: str) -> None:
    assert texts(f"<p lang={language} dir=auto>{text}</p>") == [text]


def test_kinds() -> None:
    found = cuts(
        "<h1>T</h1><h4>S</h4><p>P</p><ul><li>L<p>more</p></li><li><p>M</p></li></ul><blockquote><p>Q</p></blockquote>"
        "<pre>x = 1\n  y</pre><figure><img alt=no><figcaption>C</figcaption></figure>"
    )
    assert [(one.kind, one.text) for one in found] == [
        ("h1", "T"),
        ("h4", "S"),
        ("p", "P"),
        ("li", "L"),
        ("p", "more"),
        ("li", "M"),
        ("quote", "Q"),
        ("pre", "x = 1\n  y"),
        ("caption", "C"),
    ]


def test_table_rows_join_their_cells() -> None:
    found = cuts("<table><tr><th>Year<th>Sum</tr><tr><td><p>2020</p><td>4<b>0</b><br>kr</tr></table>")
    assert [(one.kind, one.text) for one in found] == [("row", "Year | Sum"), ("row", "2020 | 40 kr")]


def test_layout_tables_are_cut_like_anything_else() -> None:
    found = cuts("<table><tr><td><ul><li>Menu</ul><td><h1>Head</h1><p>Text</p></tr></table>")
    assert [(one.kind, one.text) for one in found] == [("li", "Menu"), ("h1", "Head"), ("p", "Text")]


def test_what_cannot_be_text_stays_with_its_reason() -> None:
    found = cuts(
        "<nav><a href=/>Home</a></nav><p>Text</p><button>Buy</button><div role=dialog>Join us</div>"
        "<noscript>Please enable it</noscript><script>var a</script><style>b{}</style><template><p>c</p></template>"
    )
    assert [(one.text, one.excluded) for one in found] == [
        ("Home", "navigation"),
        ("Text", None),
        ("Buy", "control"),
        ("Join us", "dialog"),
        ("Please enable it", "noscript"),
    ]


@pytest.mark.parametrize("attribute", ["hidden", 'style="display: none"', 'style="color:red;visibility:hidden"'])
def test_hidden_text_is_known(attribute: str) -> None:
    hidden, shown = cuts(f"<div {attribute}><p>a <b>b</b></p></div><p>c</p>")
    assert (hidden.hidden, shown.hidden) == (True, False)


def test_shares_and_link_target() -> None:
    (one,) = cuts("<p>Also: <a class=more href=/news/ship-ends>ship</a></p>")
    assert one.linked == pytest.approx(4 / 9)
    assert (one.links, one.starts_linked, one.ends_linked) == (1, False, True)
    assert one.href == "/news/ship-ends"
    (bold,) = cuts("<p><strong>ab</strong><i>cd</i></p>")
    assert (bold.bold, bold.italic) == (0.5, 0.5)


def test_place_is_the_same_on_every_page_of_a_template() -> None:
    markup = "<main class='wrap page-{n}'><div id=post-{n} class='entry css-1x{n}yZ post-{n}'><p class=t>word</p></div>"
    first, second = (cuts(markup.format(n=n))[0].within.place for n in (11427, 99031))
    assert first == second == "body>main.wrap>div.entry>p.t"


def test_place_of_a_block_in_a_thousand_elements_is_of_the_innermost() -> None:
    (one,) = cuts("<div class=x>" * 1500 + "<p>deep" + "</div>" * 1500)
    assert one.within.place == ">".join(["div.x"] * 8 + ["p"])


def test_place_has_no_positions() -> None:
    places = {one.within.place for one in cuts("<ul class=l><li>a</li><li>b</li><li>c</li></ul>")}
    assert places == {"body>ul.l>li"}


def test_a_picture_is_known_to_the_block_after_it() -> None:
    found = cuts("<p>one</p><figure><img src=a></figure><p>two</p><p><img src=b>three</p><p>four</p>")
    assert [one.pictured for one in found] == [False, True, True, False]


def test_most_text_is_two_levels_around_it() -> None:
    text = "<p>A paragraph that is long enough to be running text, and a little more.</p>" * 5
    tree = parse(f"<body><ul><li>Menu</ul><main><section><article><div>{text}</div></article></section></main></body>")
    assert tree is not None
    assert most_text(cut(body(tree)), body(tree)).tag == "section"
    empty = parse("<body><p>short</p></body>")
    assert empty is not None
    assert most_text(cut(body(empty)), body(empty)) is body(empty)


def test_lean_part_is_a_document_of_its_own() -> None:
    tree = parse("<body><nav>Menu</nav><p>outside</p><div><p>inside<img><script>x()</script></p></div></body>")
    assert tree is not None
    part = next(tree.iter("div"))
    page = lean(part)
    assert page.xpath("//text()") == ["inside"]
    assert [node.tag for node in page.iter()] == ["html", "body", "div", "p"]
    assert part.getparent() is not None and len(list(tree.iter("img", "script"))) == 2


def test_a_button_in_a_paragraph_is_a_block_of_its_own() -> None:
    found = cuts("<p>The bridge <button>Copy</button>opens. <button>Copy link</button></p>")
    assert [(one.text, one.excluded) for one in found] == [
        ("The bridge opens.", None),
        ("Copy", "control"),
        ("Copy link", "control"),
    ]


def test_a_list_in_a_cell_is_part_of_its_row() -> None:
    row = "<tr><td>Monday</td><td><ul><li>10 to 12</li><li>14 to 18</li></ul></td></tr>"
    assert texts(f"<table>{row}</table>") == ["Monday | 10 to 12 14 to 18"]
    menu = "<tr><td>Menu</td><td><ul><li><a href=/a>News</a></li><li><a href=/b>Sport</a></li></ul></td></tr>"
    assert texts(f"<table>{menu}</table>") == ["Menu", "News", "Sport"]
