"""How sure we may be of a text: what speaks against it, the weights, and the number in the article."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib.resources import files

import pytest
from article_page import HEAD, PAGE, PARAGRAPHS

from crawler.extraction import extract
from crawler.extraction.classify import judge
from crawler.extraction.classify.boosted_trees import ModelMismatch, build, shipped
from crawler.extraction.classify.confidence import Confidence, Signs, signs
from crawler.extraction.classify.features import Hints
from crawler.extraction.opinions import Opinions
from crawler.html.blocks import cut
from crawler.html.document import body, parse
from crawler.html.elements import Cut
from crawler.html.words import Shingles
from storage.model import Block, Reason

URL = "https://lower.example.org/news/library"
STORY = "\n".join(PARAGRAPHS)


def shipped_content() -> dict[str, object]:
    return dict(json.loads(files("crawler.extraction.classify").joinpath("model.json").read_bytes()))


def cuts() -> list[Cut]:
    tree = parse(PAGE)
    assert tree is not None
    return cut(body(tree))


def decided(answers: dict[str, float]) -> list[Block]:
    """The page's blocks by the model's answer for each text; the others it was not asked about."""
    return [
        Block(one.text, one.kind, answers.get(one.text, 0.0) >= 0.5, Reason("model", probability=answers.get(one.text)))
        for one in cuts()
    ]


def signs_of(answers: dict[str, float], first: str = STORY) -> Signs:
    found = signs(cuts(), decided(answers), Shingles(first))
    assert found is not None
    return found


def test_a_clean_article_is_right_with_confidence() -> None:
    confidence = extract(PAGE, URL).confidence
    assert confidence is not None
    assert 0.8 < confidence <= 0.99
    assert round(confidence, 2) == confidence


def test_the_same_page_has_the_same_confidence() -> None:
    assert len({extract(PAGE, URL).confidence for _ in range(5)}) == 1


@pytest.mark.parametrize(
    "page", ["", "no markup", f"{HEAD}<body></body></html>", f"{HEAD}<body><img src=a.png></body>"]
)
def test_no_text_has_no_confidence(page: str) -> None:
    article = extract(page, URL)
    assert article.text == ""
    assert article.confidence is None


def test_an_article_that_the_first_opinion_misses_is_less_sure() -> None:
    tree = parse(PAGE)
    assert tree is not None
    hints = Hints(Opinions(STORY, STORY, STORY), "Library moves into the station", url=URL)
    page = cut(body(tree))
    agreed = judge(page, hints, shipped(), partial(pytest.fail, "not to be asked"))
    apart = judge(page, replace(hints, opinions=Opinions(PARAGRAPHS[4], STORY, "")), shipped(), lambda _: STORY)
    assert agreed.confidence is not None
    assert apart.confidence is not None
    assert apart.confidence < agreed.confidence


def test_a_list_of_teasers_is_less_sure_than_an_article() -> None:
    teasers = "".join(
        f'<div class="card"><h3><a href="/news/{at}">{text[:40]}</a></h3><p>{text[:90]} …</p><p>Read more</p></div>'
        for at, text in enumerate(PARAGRAPHS * 3)
    )
    doubtful = extract(f"{HEAD}<body><main>{teasers}</main></body></html>", URL).confidence
    sure = extract(PAGE, URL).confidence
    assert sure is not None
    assert doubtful is None or doubtful < sure


def test_signs_are_nought_where_nothing_speaks_against_the_text() -> None:
    found = signs_of(dict.fromkeys(PARAGRAPHS, 1.0))
    assert found.unlike < 0.01
    assert (found.wrong, found.missing, found.pieces) == (0.0, 0.0, 0.0)


def test_each_sign_tells_one_thing() -> None:
    sure = dict.fromkeys(PARAGRAPHS, 1.0)
    one, size = PARAGRAPHS[0], sum(map(len, PARAGRAPHS))
    assert signs_of(sure | {one: 0.75}).wrong == pytest.approx(0.25 * len(one) / size)
    assert signs_of(sure | {one: 0.25}).missing == pytest.approx(0.25 * len(one) / (size - len(one)))
    assert signs_of(sure, "").unlike == 1.0
    assert 0.3 < signs_of(sure, "\n".join(PARAGRAPHS[:2])).unlike < 0.7
    heading = "Friends of the waiting room"
    assert signs_of(sure | {heading: 1.0}).pieces == pytest.approx(len(heading) / (size + len(heading)))


def test_what_is_kept_without_the_model_is_half_wrong() -> None:
    blocks = [Block("Lines that stand in a script of the page.", "p", True, Reason("trafilatura")), *decided({})]
    assert signs(cuts(), blocks, Shingles("")) == Signs(unlike=1.0, wrong=0.5, missing=0.0, pieces=1.0)


def test_nothing_kept_has_no_signs() -> None:
    assert signs(cuts(), decided({}), Shingles(STORY)) is None
    assert signs([], [], Shingles("")) is None


@pytest.mark.parametrize("name", Signs._fields)
def test_the_more_speaks_against_a_text_the_less_likely_it_is_right(name: str) -> None:
    confidence = shipped().confidence
    assert confidence is not None
    low = Signs(0.1, 0.05, 0.05, 0.1)
    said = [confidence.probability(low._replace(**{name: value})) for value in (0.0, 0.1, 0.3, 1.0)]
    assert said == sorted(said, reverse=True)
    assert 0.0 < said[-1] < said[0] < 1.0


def test_weights_are_log_odds() -> None:
    nothing = Confidence(0.0, (0.0,) * 4)
    assert nothing.probability(Signs(0.5, 0.5, 0.5, 0.5)) == 0.5


def test_confidence_of_other_signs_is_refused() -> None:
    content = shipped_content()
    with pytest.raises(ModelMismatch, match="other signs"):
        build(content | {"confidence": {"signs": ["words"], "bias": 0.0, "weights": [1.0]}}, "")


def test_a_model_without_confidence_says_nothing_of_it() -> None:
    content = shipped_content()
    del content["confidence"]
    hints = Hints(Opinions(STORY), "Library moves into the station", url=URL)
    verdict = judge(cuts(), hints, build(content, ""), lambda _: STORY)
    assert verdict.confidence is None
    assert verdict.signs is not None


def test_the_shipped_model_says_how_well_its_confidence_holds() -> None:
    record = json.loads(json.dumps(shipped_content()["training"]))["confidence"]
    assert len(record["data"]) == 2
    assert record["calibration"]["all"]["pages"] > 1000
    assert record["calibration"]["all"]["error"] < 0.03
