"""Site memory: what repeats on a site goes, and no article loses a sentence of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.extraction.template.site_memory import SiteMemory
from storage.errors import Corrupt
from storage.model import Article, Block, Reason

SYLLABLES = ("ba", "ki", "lo", "mur", "sten", "ving", "tor", "el", "ras", "hav", "ny", "per")
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
COLUMN = "body>main>article.story>div.text>p"
ABOUT = "The Harbour Post is read by everyone who has something to do with ships, cranes and rope."


def words(seed: object, count: int) -> str:
    """So many words that no other seed has in this order."""
    chance = random.Random(str(seed))
    return " ".join("".join(chance.choice(SYLLABLES) for _ in range(chance.randint(1, 3))) for _ in range(count))


def sentence(seed: object, count: int = 14) -> str:
    return words(seed, count).capitalize() + "."


def p(text: str, place: str = COLUMN, kind: str = "p", links: float = 0.0) -> Block:
    return Block(text, kind, True, Reason("model", probability=0.9), place, links)


def article(number: int, blocks: Iterable[Block], title: str | None = None, day: int | None = None) -> Article:
    fetched = START + timedelta(days=number // 4 if day is None else day)
    title = title or words(f"title {number}", 6)
    return Article(f"https://www.post.example/art/{number}", title=title, blocks=tuple(blocks), timestamp=fetched)


def body(number: int, paragraphs: int = 5) -> list[Block]:
    return [p(sentence((number, part), 14 + part)) for part in range(paragraphs)]


def kept(article: Article) -> list[str]:
    return [block.text for block in article.blocks if block.kept]


def cleaned(articles: Sequence[Article]) -> list[list[str]]:
    memory = SiteMemory().learn(articles)
    return [kept(memory.clean(each)) for each in articles]


def own_text(numbers: Iterable[int]) -> list[list[str]]:
    return [[block.text for block in body(number)] for number in numbers]


def test_a_line_of_three_stories_goes_from_all_with_the_reason() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(3)]
    memory = SiteMemory().learn(articles)
    block = memory.clean(articles[0]).blocks[-1]
    assert (block.kept, str(block.reason)) == (False, "repeated on 3 articles of post.example")
    assert cleaned(articles) == own_text(range(3))
    assert list(memory.lines()) == [(3, ABOUT)]


def test_two_stories_are_not_enough() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(2)]
    assert cleaned(articles) == [[*text, ABOUT] for text in own_text(range(2))]


def test_evidence_adds_up_over_sealings() -> None:
    memory = SiteMemory()
    for n in range(3):
        memory = SiteMemory.from_json(memory.learn([article(n, [*body(n), p(ABOUT)])]).to_json())
    assert ABOUT not in kept(memory.clean(article(3, [*body(3), p(ABOUT)])))


def rates(n: int) -> list[Block]:
    return [p(ABOUT), p(f"Oatcoin (OAT) ${n}{n}.{n}7 +{n}.1% in 24 hours"), p(f"Tarn (TRN) ${n}.3 -0.{n}%")]


def test_rates_below_a_line_of_the_template_go_whatever_the_numbers() -> None:
    assert cleaned([article(n, [*body(n), *rates(n)]) for n in range(1, 8)]) == own_text(range(1, 8))


def test_an_article_may_end_in_figures() -> None:
    articles = [article(n, [*body(n), *rates(n)[1:]]) for n in range(1, 8)]
    assert cleaned(articles) == [[block.text for block in each.blocks] for each in articles]


def test_prose_that_is_the_same_but_for_its_numbers_stays() -> None:
    def report(n: int) -> list[Block]:
        return [p(f"The court has sentenced a man of {n}{n} to {n} months in prison for theft from a mill.")]

    articles = [article(n, [*report(n), *body(n), *report(n), p(ABOUT)]) for n in range(12)]
    assert [text[-1] for text in cleaned(articles)] == [report(n)[0].text for n in range(12)]


def test_a_story_under_many_addresses_is_one_story() -> None:
    story = [*body(1), p(ABOUT)]
    copies = [replace(article(n, story, "Same"), url=f"https://post.example/{n}?from=mail") for n in range(6)]
    memory = SiteMemory().learn(copies)
    assert kept(memory.clean(copies[0])) == [block.text for block in story]
    # Edited, and under another title, it is still the same story.
    edited = article(9, [*story, p(sentence("added", 9))], "Another title")
    assert kept(memory.learn([edited]).clean(edited)) == [block.text for block in edited.blocks]


def test_learning_twice_counts_once() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(2)]
    memory = SiteMemory().learn(articles).learn(articles).learn(articles)
    assert kept(memory.clean(articles[0])) == [block.text for block in articles[0].blocks]


def test_learning_cleaned_articles_again_changes_nothing() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(5)]
    memory = SiteMemory().learn(articles)
    again = memory.learn(memory.clean(each) for each in articles)
    assert [again.clean(memory.clean(each)) for each in articles] == [memory.clean(each) for each in articles]


def test_a_shared_introduction_of_two_parts_stays() -> None:
    intro = p(sentence("series", 30))
    parts = [article(n, [intro, *body(n)]) for n in range(2)]
    others = [article(n, [*body(n), p(ABOUT)]) for n in range(2, 8)]
    memory = SiteMemory().learn([*parts, *others])
    assert [kept(memory.clean(each))[0] for each in parts] == [intro.text] * 2


@pytest.mark.parametrize("said", ["– Yes.", "”We have nothing to add to that.”", "Background", "What now?"])
def test_what_people_say_and_short_headings_stay(said: str) -> None:
    articles = [article(n, [*body(n)[:2], *([p(said)] if n < 4 else []), *body(n)[2:], p(ABOUT)]) for n in range(12)]
    texts = cleaned(articles)
    assert all(text[2] == said for text in texts[:4])
    assert texts[4:] == own_text(range(4, 12))


def test_a_heading_above_the_articles_own_text_stays_however_frequent() -> None:
    heading = p("Conclusion", kind="h2")
    articles = [article(n, [*body(n)[:3], heading, *body(n)[3:], p(ABOUT)]) for n in range(8)]
    assert all(text[3] == "Conclusion" and len(text) == 6 for text in cleaned(articles))


def test_a_paragraph_of_background_told_again_stays() -> None:
    background = p(sentence("background", 40))
    articles = [
        article(n, [*body(n)[:2], *([background] if n % 16 == 0 else []), *body(n)[2:], p(ABOUT)]) for n in range(48)
    ]
    texts = cleaned(articles)
    assert [text[2] for text in texts[::16]] == [background.text] * 3


def test_a_line_amid_every_article_goes() -> None:
    advert = p("Advertisement")
    articles = [article(n, [*body(n)[:2], advert, *body(n)[2:]]) for n in range(5)]
    assert cleaned(articles) == own_text(range(5))


def test_read_also_in_any_language_goes_by_its_beginning() -> None:
    def with_link(n: int) -> Article:
        link = p(f"Læs også: {words(('other', n), 7)}", links=0.85)
        return article(n, [*body(n)[:2], link, *body(n)[2:]])

    assert cleaned([with_link(n) for n in range(5)]) == own_text(range(5))


def test_a_link_after_a_lead_in_on_a_line_of_its_own_goes() -> None:
    def with_link(n: int) -> Article:
        link = [p("続きを読む:"), p(words(("other", n), 7), links=1.0), p(words(("more", n), 7), links=1.0)]
        return article(n, [*body(n)[:2], *link, *body(n)[2:]])

    assert cleaned([with_link(n) for n in range(5)]) == own_text(range(5))


def test_a_sentence_that_begins_like_others_and_has_no_link_stays() -> None:
    articles = [article(n, [p(f"Ann Berg: {sentence(n)}"), *body(n), p(ABOUT)]) for n in range(5)]
    assert [text[0] for text in cleaned(articles)] == [f"Ann Berg: {sentence(n)}" for n in range(5)]


def frame(n: int, turning: Callable[[int], list[Block]], place: str = COLUMN) -> Article:
    """An article with a list below it that turns from page to page, between lines that are always there."""
    above = [p("Guide", kind="h3"), p("All the companies of the harbour in one place")]
    below = [p("Your company is missing? Write to us", place), p("Coming up", kind="h3")]
    return article(n, [*body(n, 4 + n % 3), *above, *turning(n), *below])


def test_what_turns_between_lines_of_the_frame_goes_though_it_is_new() -> None:
    def advert(n: int) -> list[Block]:
        return [p(words(("company", n), 3)), p(sentence(("advert", n), 25))]

    assert cleaned([frame(n, advert) for n in range(6)]) == [[b.text for b in body(n, 4 + n % 3)] for n in range(6)]


def test_what_stands_below_a_prompt_amid_the_text_stays_though_it_is_always_as_much() -> None:
    prompt = [p("Newsletter", kind="h3"), p("Get the day's stories at seven in the morning")]
    articles = [article(n, [*body(n)[:3], *prompt, *body(n)[3:], p(ABOUT)]) for n in range(12)]
    assert cleaned(articles) == own_text(range(12))


def test_a_list_that_turns_is_known_by_its_place_in_the_template() -> None:
    place = "body>main>article.story>div.events>p"

    def page(n: int, event: int) -> Article:
        return article(n, [*body(n), p("Events of the week", place), p(sentence(("event", event), 25), place)])

    memory = SiteMemory().learn([page(n, n % 3) for n in range(12)])
    tomorrow = page(50, 99)
    assert kept(memory.clean(tomorrow)) == [block.text for block in body(50)]


def test_the_place_of_paragraphs_never_becomes_a_template_place() -> None:
    articles = [article(n, [p(ABOUT), *body(n, 1 + n % 5), p(sentence("foot", 20))]) for n in range(20)]
    memory = SiteMemory().learn(articles)
    new = article(99, [p(ABOUT), *body(99), p(sentence("foot", 20))])
    assert kept(memory.clean(new)) == [block.text for block in body(99)]


def test_a_place_for_the_deck_is_not_lost_to_three_equal_ones() -> None:
    place = "body>main>article.story>p.deck"
    decks = [sentence("same deck", 20) if n < 3 else sentence(("deck", n), 20) for n in range(12)]
    articles = [article(n, [p(deck, place), *body(n), p(ABOUT)]) for n, deck in enumerate(decks)]
    assert [text[0] for text in cleaned(articles)[3:]] == decks[3:]


def test_short_articles_keep_their_one_paragraph() -> None:
    foot = [p(sentence(("foot", part), 40)) for part in range(4)]
    articles = [article(n, [*body(n, 1), *foot]) for n in range(6)]
    assert cleaned(articles) == [[block.text for block in body(n, 1)] for n in range(6)]


def test_unlearned_lines_are_article_text_for_good() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(4)]
    memory = SiteMemory().learn(articles).unlearn(f"  {ABOUT.upper()}\n")
    memory = SiteMemory.from_json(memory.learn(articles).to_json()).merge(SiteMemory())
    assert kept(memory.clean(articles[0])) == [block.text for block in articles[0].blocks]
    # What an earlier memory had removed comes back.
    removed = SiteMemory().learn(articles).clean(articles[0])
    assert ABOUT not in kept(removed)
    assert ABOUT in kept(memory.clean(removed))
    assert list(memory.lines()) == []


def test_a_new_template_is_learned_and_the_old_one_forgotten() -> None:
    old = [article(n, [*body(n), p(ABOUT)], day=0) for n in range(10)]
    new = [article(n, [*body(n), p(sentence("new foot", 20))], day=300) for n in range(10, 20)]
    memory = SiteMemory().learn(old).learn(new)
    assert [text for _, text in memory.lines()] == [sentence("new foot", 20)]
    assert kept(memory.clean(new[0])) == [block.text for block in body(10)]


def test_two_machines_learn_at_once() -> None:
    articles = [article(n, [*body(n), p(ABOUT)]) for n in range(8)]
    one, other = SiteMemory().learn(articles[:5]), SiteMemory().learn(articles[3:])
    merged = one.merge(other)
    assert merged == other.merge(one)
    assert merged.merge(one) == merged == merged.merge(merged)
    assert list(merged.lines()) == [(8, ABOUT)]


def test_the_file_is_small_readable_and_the_same_for_the_same_memory() -> None:
    articles = [article(n, [*body(n, 20), p(ABOUT)], day=n // 50) for n in range(300)]
    memory = SiteMemory().learn(articles)
    data = memory.to_json()
    assert len(data) < 400_000
    assert ABOUT in data.decode()
    assert SiteMemory.from_json(data) == memory
    assert SiteMemory.from_json(data).to_json() == data
    assert SiteMemory().learn(reversed(articles)).to_json() == data


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"version": 99}', b'{"version": 1, "lines": []}', b"\xff", b"[" * 9999]
)
def test_a_file_that_is_no_memory_is_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt):
        SiteMemory.from_json(data)


TEXTS = st.sampled_from(
    [sentence(n, 4 + n) for n in range(12)] + ["Yes.", "– No.", "", "読者", "Read: more"]
) | st.text(max_size=30)
BLOCKS = st.builds(
    Block,
    TEXTS,
    st.sampled_from(["p", "h2", "li"]),
    st.booleans(),
    st.sampled_from([Reason("model"), Reason("repeated", "on 3 articles of x")]),
    st.sampled_from(["", "a>p", "a>li"]),
    st.sampled_from([0.0, 0.4, 1.0]),
)
ARTICLES = st.lists(
    st.builds(
        Article,
        st.sampled_from([f"https://x.example/{n}" for n in range(9)]),
        title=st.none() | st.sampled_from(["One", "Two"]),
        blocks=st.lists(BLOCKS, max_size=8).map(tuple),
        published=st.sampled_from([None, "2026-01-02", "2026-05-09T10:00:00+02:00", "garbage"]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(ARTICLES, ARTICLES, ARTICLES)
def test_merging_is_a_union(first: list[Article], second: list[Article], third: list[Article]) -> None:
    one, two, three = (SiteMemory().learn(articles) for articles in (first, second, third))
    assert one.merge(two) == two.merge(one)
    assert one.merge(one) == one
    assert one.merge(two).merge(two) == one.merge(two)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))
    assert SiteMemory.from_json(one.to_json()) == one


@settings(max_examples=25, deadline=None)
@given(ARTICLES)
def test_cleaning_takes_away_only_blocks_and_only_once(articles: list[Article]) -> None:
    memory = SiteMemory().learn(articles)
    for each in articles:
        done = memory.clean(each)
        assert [block.text for block in done.blocks] == [block.text for block in each.blocks]
        assert memory.clean(done) == done
        assert replace(done, blocks=()) == replace(each, blocks=())


def test_documents_teach_nothing_and_lose_nothing() -> None:
    line = p(ABOUT)
    pages = [article(number, [*body(number), line]) for number in range(12)]
    written = [replace(block, reason=Reason("document")) for block in [*body(99), line]]
    files = [article(100 + number, written) for number in range(200)]
    memory = SiteMemory().learn(pages)
    assert memory.learn(files) == memory
    assert all(memory.clean(each) == each for each in files)
    assert all(line.text not in kept(memory.clean(each)) for each in pages)
