"""What holds where nobody says otherwise. Settings, configuration, help texts and limits all take it from here."""

from __future__ import annotations

from typing import Literal

#: Which pages are shown by a browser: those of which the plain answer has no text but for scripts, or all.
Render = Literal["never", "when-needed", "always"]
#: What becomes of an answer that says `noarchive`: it is kept and marked, or not kept.
NoarchivePolicy = Literal["keep", "refuse"]

#: Bytes at which a WARC is sealed; 1 GB is customary and keeps a re-upload bearable.
WARC_MAX_BYTES = 1_000_000_000
#: Seconds after its first record, so that nothing waits longer than this for the object store.
WARC_MAX_AGE = 900.0
#: Records of a WARC, two a page; they bound the memory that sealing takes, about 0.45 KB each and never all given back.
WARC_MAX_RECORDS = 50_000
#: Bytes that may wait in the spool while the object store is away; beyond them the crawl stops.
SPOOL_MAX_BYTES = 20_000_000_000
#: Bytes that stay free on the disk of the spool; where less is, crawls stop. As large as a WARC, which a folder archive
#: has twice for a moment when it is delivered.
MIN_FREE = 1_000_000_000
#: Bytes of a body on the wire; more is cut and marked as truncated.
DOWNLOAD_MAXSIZE = 64 * 1024 * 1024
#: Seconds from the first byte sent to the last received.
DOWNLOAD_TIMEOUT = 30.0
#: Requests under way at once, over all hosts.
CONCURRENT_REQUESTS = 32
#: Longest Retry-After (of 429 and 503), in seconds, that is waited for.
RETRY_AFTER_MAX = 600.0
#: Bytes of a body after decompression, for extraction.
CONTENT_MAX_BYTES = 64 * 1024 * 1024
#: Seconds and bytes of memory that the extraction of one page may take.
EXTRACTION_TIMEOUT = 30.0
EXTRACTION_MEMORY_BYTES = 4 * 1024**3
#: Seconds that a browser has for a page, and bytes that the page may have it ask for and send.
RENDER_TIMEOUT = 60.0
RENDER_MAXSIZE = 64 * 1024 * 1024
#: Browsers at a time: each takes some 300 MB and a core.
BROWSERS = 2
RENDER: Render = "never"
#: What says `noarchive` is kept, since it is a word to the caches of search engines.
NOARCHIVE: NoarchivePolicy = "keep"
#: Seconds between two requests to a host of a site, and of a list of URLs.
SITE_DELAY = 1.0
LIST_DELAY = 0.0
#: Seconds between two looks at a source of a site.
SITE_EVERY = 900.0
#: Articles of a site that one run fetches at most.
SITE_CAP = 500
#: Sites that are crawled at a time.
SITES_AT_ONCE = 16
#: Longest pause, in seconds, that slow answers of a host lead to.
SLOW_HOST_DELAY_MAX = 10.0
#: Answers 429 or 503 in a row, and requests without any answer, after which a host is left alone.
HOST_REFUSALS_MAX = 5
HOST_SILENCES_MAX = 5

#: Fields that each request has.
REQUEST_FIELDS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "*",
    # What every replay tool decodes; warcio fails on brotli beside the brotli package (its issue 73).
    "Accept-Encoding": "gzip, deflate",
}
