"""Where the news is: feeds, sitemaps and pages read to links; what looks like an article; which URLs are one article.

Pure functions from bytes to frozen values: no I/O, no clock but for judging dates in the future. All is bounded and
nothing raises on content; what is odd is told in `problems`, a short line each that begins with the address.

    reading = read_feed(content, url, content_type)          # also read_sitemap, read_page
    for link in reading.links: ...                           # Link(url, published, title, score, reason)
"""

from crawler.discovery.feeds import read_feed
from crawler.discovery.identity import canonical_candidate, identity, same_article
from crawler.discovery.links import Likelihood, Link, PageLinks, SourceLinks
from crawler.discovery.page_requisites import requisites_of, requisites_of_css
from crawler.discovery.pages import read_page
from crawler.discovery.sitemaps import read_sitemap
from crawler.discovery.traps import trap_reason
from crawler.discovery.url_dates import Span, dates_in_address
from crawler.discovery.url_shape import Examples, looks_like_article
from crawler.discovery.well_known import usual_places

__all__ = [
    "Examples",
    "Likelihood",
    "Link",
    "PageLinks",
    "SourceLinks",
    "Span",
    "canonical_candidate",
    "dates_in_address",
    "identity",
    "looks_like_article",
    "read_feed",
    "read_page",
    "read_sitemap",
    "requisites_of",
    "requisites_of_css",
    "same_article",
    "trap_reason",
    "usual_places",
]
