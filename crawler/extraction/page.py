"""One page, from what was sent to its article: decode, parse, cut, ask, read what it says of itself, judge."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from crawler.extraction.classify import Classification, judge
from crawler.extraction.classify.boosted_trees import shipped
from crawler.extraction.classify.features import Hints
from crawler.extraction.classify.standfirst import listed
from crawler.extraction.metadata import Metadata, metadata
from crawler.extraction.opinions import ask
from crawler.extraction.trafilatura_text import opinion
from crawler.extraction.version import our_version
from crawler.html import jsonld
from crawler.html.blocks import cut
from crawler.html.document import TooLarge, body, parse
from crawler.html.encoding import clean, decode
from storage.model import Article, Extractor


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
    opinions = ask(tree, blocks)
    found = metadata(tree, url, opinions.first, nodes=nodes, now=now)
    hints = Hints(opinions, found.title or "", found.description or "", jsonld.article_body(nodes), url, found.kind)
    verdict = judge(blocks, hints, shipped(), partial(opinion, tree))
    return article(url, found, verdict)


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
