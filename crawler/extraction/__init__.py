"""Clean text and metadata of a news page, with the reason for every block that was kept or left out.

The way of a page through this room, in order (`page` calls the steps):

1. `html.encoding` and `html.document` make a tree of what was sent.
2. `html.blocks` cuts its body into blocks of text (`html.elements`, `html.table_rows`). Teasers and comments, of which
   there may be more than of the article, are put aside (`beside`: `teasers`, `threads`, `running_text`). A page of
   nothing but teasers is a `collection`.
3. `opinions` asks trafilatura (`trafilatura_text`) what of the page is the article, and what of the part that most text
   stands in (`container`); where the two differ, its slower modes decide between them. Its XPaths are answered out of
   what was said of the same attributes before (`remembered_xpaths`, `own_predicates`).
4. `metadata` reads what the page says of itself (`html_metadata`, `html.jsonld`, `titles`, `plain_heading`, `bylines`,
   `dated_bylines`, `names`, `html.dates`, `language`), and what it says it is (`page_kind`).
5. `classify` decides on each block: `features` (`feature_names`, `text_features`, `context_features`, `class_tokens`)
   are weighed by `boosted_trees`, then rules speak: `prompts`, `structure`, `next_article`, `copies`. Where an article
   may be `lost`, or is a `commentary`, it looks again; `labels` are no text. `confidence` says how likely the text is
   right as a whole. A page that is no article is as trafilatura has it.
6. Where that gave next to nothing, the page may be a shell that scripts fill: `embedded` looks for the article in the
   data it carries for them (`scripts`, `literals`, `references`; `naming`, `body`), and makes HTML of it (`rendering`),
   which then goes the same way; `said` is what the data says of it.

`template` then removes what repeats on a site, `corrections` have the article as its readers said, and `markup` writes
it as Markdown.
"""

from __future__ import annotations

from datetime import datetime

from storage.model import Article, Extractor

__all__ = ["extract"]


def extract(
    html: bytes | str, url: str = "", *, content_type: str | None = None, now: datetime | None = None
) -> Article:
    """Return the article of a page; the same input gives the same article, in any process.

    Whatever is given, nothing is raised: what is no page, or has no text, gives an article without kept blocks, and
    its `extractor.method` says why. Only faults of the machine are: `OSError`, `MemoryError`. `content_type` is the
    HTTP header's value; `now` (aware) the time of the capture, for no article is younger, the present if it is left
    out.
    """
    from crawler.extraction.page import read

    try:
        return read(html, url, content_type, now)
    except (OSError, MemoryError):
        # Not the page's: on another day, or with more memory, it has its text.
        raise
    except Exception as error:
        # An archive run of thousands of pages must not end at one of them; the record names what happened.
        return Article(url=url, extractor=Extractor("newskeep", "", method=f"failed: {type(error).__name__}: {error}"))
