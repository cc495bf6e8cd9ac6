"""One page, from what was sent to its article: decode, parse, cut, ask, read what it says of itself, judge;
where it is a shell, once more from the data of its scripts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from crawler.extraction.beside import bring_back, put_aside
from crawler.extraction.classify import Classification, judge, judge_body
from crawler.extraction.classify.boosted_trees import shipped
from crawler.extraction.classify.features import Hints
from crawler.extraction.classify.standfirst import listed
from crawler.extraction.collection import Collection, collection
from crawler.extraction.embedded import find, titles
from crawler.extraction.metadata import Metadata, metadata
from crawler.extraction.metadata.page_kind import Kind
from crawler.extraction.opinions import ask
from crawler.extraction.trafilatura_text import opinion
from crawler.extraction.version import our_version
from crawler.html import jsonld
from crawler.html.blocks import cut
from crawler.html.document import TooLarge, Tree, body, parse
from crawler.html.elements import Cut
from crawler.html.encoding import clean, decode
from crawler.html.words import Shingles, tokens
from storage.model import DOUBTFUL, Article, Extractor

#: Words; a page that shows fewer may be a shell that scripts fill.
_FEW = 60
#: How many times as long as what is shown a text in the page's data has to be to stand in its place.
_TIMES = 2
#: A text of which so much stands in another is the same.
_SAME = 0.75


def read(page: bytes | str, url: str, content_type: str | None, now: datetime | None) -> Article:
    """Return the article of a page; raises only what a bug raises."""
    text = clean(page) if isinstance(page, str) else decode(page, content_type)
    try:
        tree = parse(text)
    except TooLarge as error:
        return article(url, Metadata(), Classification((), f"nothing: {error}"))
    if tree is None:
        return article(url, Metadata(), Classification((), "nothing: no markup"))
    nodes = jsonld.nodes(tree)
    blocks = cut(body(tree))
    others = collection(blocks, url)
    aside = put_aside(tree, blocks, url)
    opinions = ask(tree, blocks)
    found = metadata(tree, url, opinions.first, nodes=nodes, now=now, looks_like=_looks(others))
    if aside and found.kind not in (None, "article"):
        bring_back(blocks, aside)
    hints = Hints(opinions, found.title or "", found.description or "", jsonld.article_body(nodes), url, found.kind)
    verdict = judge(blocks, hints, shipped(), partial(opinion, tree))
    if others is not None and found.kind is None and others.is_all_of(_kept(blocks, verdict)):
        verdict = verdict.doubted()
    shown = article(url, found, verdict)
    return _of_data(tree, nodes, shown, found, now) or shown


def _looks(others: Collection | None) -> Kind | None:
    if others is None:
        return "article"
    return None if others.has_paragraph else "collection page"


def _kept(cuts: Sequence[Cut], verdict: Classification) -> list[Cut]:
    # Before the page's blocks there may be some that are not of its markup.
    judged = verdict.blocks[len(verdict.blocks) - len(cuts) :]
    return [cut for cut, block in zip(cuts, judged, strict=True) if block.kept]


def _of_data(
    tree: Tree, nodes: list[jsonld.Node], shown: Article, found: Metadata, now: datetime | None
) -> Article | None:
    """The article in the data of the page's scripts; `None` where the page shows its text, or has no such data."""
    if not _may_be_shell(shown):
        return None
    embedded = find(tree, shown.url, titles(tree, found.title), nodes)
    page = parse(f"<html><body><article>{embedded.html}</article></body></html>") if embedded else None
    if embedded is None or page is None:
        return None
    blocks = cut(body(page))
    opinions = ask(page, blocks)
    told = metadata(tree, shown.url, opinions.first, nodes=[*nodes, embedded.node], now=now)
    found = found.completed(told, embedded.source)
    hints = Hints(opinions, found.title or "", found.description or "", url=shown.url)
    made = article(shown.url, found, judge_body(blocks, hints, shipped(), embedded.source))
    return made if made.words >= _FEW and _says_more(made, shown) else None


def _may_be_shell(shown: Article) -> bool:
    is_doubtful = shown.confidence is not None and shown.confidence < DOUBTFUL
    return shown.words < _FEW or is_doubtful or _is_not_on_page(shown)


def _says_more(made: Article, shown: Article) -> bool:
    """Whether a text is much more than another, or is the same one with its paragraphs."""
    if made.words >= _TIMES * shown.words:
        return True
    return _is_not_on_page(shown) and Shingles(made.text).share(tokens(shown.text)) >= _SAME


def _is_not_on_page(shown: Article) -> bool:
    """Whether trafilatura has a text that the page does not show: one of JSON-LD, as one paragraph."""
    return shown.extractor is not None and shown.extractor.method.startswith("trafilatura: the model kept")


def article(url: str, found: Metadata, verdict: Classification) -> Article:
    """Return metadata and verdict as one record."""
    blocks, description = listed(verdict.blocks, found.description)
    return Article(
        url=url,
        title=found.title,
        authors=found.authors,
        published=found.published,
        modified=found.modified,
        language=found.language,
        section=found.section,
        topics=found.topics,
        image=found.image,
        description=description,
        canonical_url=found.canonical_url,
        paywalled=found.paywalled,
        confidence=verdict.confidence,
        blocks=blocks,
        sources=found.sources,
        doubts=found.doubts,
        extractor=Extractor("newskeep", our_version(), shipped().digest, verdict.method),
    )
