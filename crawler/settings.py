"""The wiring diagram of the Scrapy side: every setting with its unit and why.

The command line and newskeep.toml override these; `scrapy crawl` takes them as they are, or with `-s NAME=VALUE`.
"""

from __future__ import annotations

import os

from crawler import defaults
from crawler.config import sent_from, user_agent
from crawler.spider_modules import spider_modules

BOT_NAME = "newskeep"
# Ours, and those of installed packages that say so; newskeep.toml may name more.
SPIDER_MODULES = spider_modules()
# Knows the sites of newskeep.toml besides the classes.
SPIDER_LOADER_CLASS = "crawler.sites.spider_loader.SiteLoader"
# `scrapy crawl` with our exit codes.
COMMANDS_MODULE = "crawler.commands"
# The configuration file; None: as NEWSKEEP_CONFIG names it, else ./newskeep.toml if it is there.
CONFIG_FILE: str | None = None

# --- Where it goes -------------------------------------------------------------------------------------------------

# A folder, file://… or s3://bucket/prefix.
ARCHIVE = os.environ.get("NEWSKEEP_ARCHIVE", "archive")
# Folder for what is local to this machine of a remote archive; None: the user's state folder.
STATE = os.environ.get("NEWSKEEP_STATE")
# The retention that WARCs, CDXJ and logs get in a bucket with Object Lock, "GOVERNANCE" or "COMPLIANCE", and its days.
OBJECT_LOCK = None
OBJECT_LOCK_DAYS = 0
# Seal a WARC at this many bytes,
WARC_MAX_BYTES = defaults.WARC_MAX_BYTES
# … or this many seconds after its first record,
WARC_MAX_AGE = defaults.WARC_MAX_AGE
# … or at this many records.
WARC_MAX_RECORDS = defaults.WARC_MAX_RECORDS
# Bytes that may wait in the spool while the object store is away; beyond them the crawl stops.
SPOOL_MAX_BYTES = defaults.SPOOL_MAX_BYTES
# Bytes that stay free on the disk of the spool; where less is free the crawl stops. 0: all of it is used.
MIN_FREE = defaults.MIN_FREE

# --- Who we are ----------------------------------------------------------------------------------------------------

# A web page or e-mail address where the operator can be reached; goes into the user agent and the warcinfo record.
OPERATOR = os.environ.get("NEWSKEEP_OPERATOR")
USER_AGENT = user_agent(OPERATOR)
# Who asked for the crawl, where a program or a visitor did; stands in the crawl report alone.
ASKED_BY = None
# The private key (PEM, Ed25519) that requests are signed with, and https://HOST, where its directory is. None: they are
# not signed.
SIGNING_KEY: str | None = None
SIGNATURE_AGENT: str | None = None
# The product token that robots.txt rules are looked up by (RFC 9309, 2.2.1).
ROBOTSTXT_USER_AGENT = "newskeep"
# From: where the operator is reached by e-mail.
DEFAULT_REQUEST_HEADERS = {**defaults.REQUEST_FIELDS, **sent_from(OPERATOR)}

# --- How exchanges are captured --------------------------------------------------------------------------------------

DOWNLOAD_HANDLERS = {
    "http": "crawler.engine.handler.RecordingHandler",
    "https": "crawler.engine.handler.RecordingHandler",
    # Scrapy fetches these by default; a redirect or a list could make it read local files.
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
# Resolves IPv4 and IPv6; Scrapy's default knows IPv4 only.
TWISTED_DNS_RESOLVER = "scrapy.resolver.CachingHostnameResolver"

# Names looked up at once; a look-up holds a thread until the name server answers.
REACTOR_THREADPOOL_MAXSIZE = 32

# --- Safety ----------------------------------------------------------------------------------------------------------

# Whether loopback, private, link-local and other addresses that are not public may be fetched.
ALLOW_PRIVATE_ADDRESSES = False
# Whether what is wrong with a server's TLS certificate or version is noted only, and not in the way.
INSECURE = False
# A file of certificates in PEM that are trusted beside the roots of the system.
CA_FILE: str | None = None
# Both are servers inside the crawler: one runs code, the other is a console.
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False
# Bytes of a body on the wire; more is cut and marked as truncated.
DOWNLOAD_MAXSIZE = defaults.DOWNLOAD_MAXSIZE
DOWNLOAD_WARNSIZE = 0
# Bytes of a body after decompression, for extraction.
CONTENT_MAX_BYTES = defaults.CONTENT_MAX_BYTES
# Seconds from the first byte sent to the last received.
DOWNLOAD_TIMEOUT = defaults.DOWNLOAD_TIMEOUT
REDIRECT_MAX_TIMES = 20
# Scrapy would follow that of a page with an article too; RedirectPolicy follows that of a page that is nothing else.
METAREFRESH_ENABLED = False
# The address somebody linked from is nobody's business.
REFERER_ENABLED = False

# --- A good guest ----------------------------------------------------------------------------------------------------

ROBOTSTXT_OBEY = True
# Seconds between two requests to a host that robots.txt may ask for; a larger crawl-delay counts as this.
CRAWL_DELAY_MAX = 60
# One request at a time a host; many hosts at once.
CONCURRENT_REQUESTS = defaults.CONCURRENT_REQUESTS
CONCURRENT_REQUESTS_PER_DOMAIN = 1
# … and this many seconds between the end of a request and the next to the same host, with up to a quarter more.
DOWNLOAD_DELAY = defaults.LIST_DELAY
# Scrapy's own waiting counts from the beginning of a request and must never be the longer one (host_gate.py).
DOWNLOAD_DELAY_JITTER = 0
# Scrapy makes so many tasks for each response, whatever it gives; ours give one page, and requests for what it needs.
CONCURRENT_ITEMS = 4
# Bytes of bodies that wait for their text, or have it made, from which on no further page is asked for; what is under
# way comes on top. 5 MB by default, of each of which memory holds two.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 2_000_000
# Requests to hosts that may not be asked now stay in the scheduler, where they are in nobody's way.
SCHEDULER_PRIORITY_QUEUE = "crawler.engine.host_queue.HostQueue"
# Longest Retry-After (of 429 and 503), in seconds, that is waited for; a host that asks for more is left alone.
RETRY_AFTER_MAX = defaults.RETRY_AFTER_MAX
# A host that takes longer than a second to answer gets a pause as long as that, up to this many seconds.
SLOW_HOST_DELAY_MAX = defaults.SLOW_HOST_DELAY_MAX
# A host is left alone after this many answers 429 or 503 in a row, or this many requests without any answer.
HOST_REFUSALS_MAX = defaults.HOST_REFUSALS_MAX
HOST_SILENCES_MAX = defaults.HOST_SILENCES_MAX
# Whether crawls of sites ask each host once a day for /.well-known/tdmrep.json, what it says of text and data mining.
TDMREP = False
# What becomes of an answer that says `noarchive` (X-Robots-Tag, meta robots): "keep" and mark, or "refuse". The word is
# meant for the caches that search engines show; `serve` and `export --public` mind the mark.
NOARCHIVE = defaults.NOARCHIVE
RETRY_TIMES = 2
# Not 429 and 503: to ask again at once is what they ask us not to do.
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]
# The outcome says it; a log line beside it would be noise.
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"

# --- Text ------------------------------------------------------------------------------------------------------------

# Whether the text of pages is made; without, `newskeep reextract` makes it later.
EXTRACTION = True
# Seconds and bytes of memory that the extraction of one page may take, in a process of its own.
EXTRACTION_TIMEOUT = defaults.EXTRACTION_TIMEOUT
EXTRACTION_MEMORY_BYTES = defaults.EXTRACTION_MEMORY_BYTES
# Worker processes; 0: by the number of cores.
EXTRACTION_WORKERS = 0

# --- Pages that need a browser ----------------------------------------------------------------------------------------

# Which pages are shown by a browser: "never", "when-needed" (no text without scripts) or "always".
RENDER = defaults.RENDER
# Path or name of Chromium; None: the first on the PATH.
CHROMIUM: str | None = None
# A file of hosts that rendered pages do not ask, such as those of advertisers; None: they ask all.
BLOCKLIST: str | None = None
# Whether a picture and a PDF of each page that is rendered are kept.
SCREENSHOT = False
PDF = False
# What is scrolled and clicked, a crawler.browser.job.Behaviour; None: nothing.
RENDER_BEHAVIOUR = None
# Seconds that a browser has for a page, and bytes that the page may have it send and ask for.
RENDER_TIMEOUT = defaults.RENDER_TIMEOUT
RENDER_MAXSIZE = defaults.RENDER_MAXSIZE
# Browsers at a time, those that are kept for a host's next page included.
BROWSERS = defaults.BROWSERS

# --- What runs -------------------------------------------------------------------------------------------------------

# A proxy of HTTP or SOCKS for everything, such as http://127.0.0.1:3128; None: as http_proxy, https_proxy, all_proxy
# and no_proxy say.
PROXY: str | None = None
# Whether a proxy looks names up, and refuses what it has to; else they are looked up and judged before it is asked.
TRUST_PROXY = False
# Not Scrapy's own list: what is switched off in it is imported all the same, to see whether it is there twice. With
# cookies come a library of domains and an HTTP client, 6 MB and 0.1 s of start-up; metering paywalls count by cookie,
# and a capture should not depend on the one before it. Those that are set on the way from one address to its end go
# along within it (RedirectPolicy). Also left out is what ours stand for: robots.txt, retries, redirects, the proxy.
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": 50,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": 300,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": 580,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 900,
}
DOWNLOADER_MIDDLEWARES = {
    # Before anything logs or remembers the address.
    "crawler.engine.middlewares.userinfo.UserInfoMiddleware": 10,
    # Before the host is asked for robots.txt.
    "crawler.engine.middlewares.removed.RemovedMiddleware": 20,
    "crawler.engine.middlewares.retry_after.RetryAfterMiddleware": 60,
    "crawler.engine.middlewares.robots.RobotsMiddleware": 100,
    "crawler.engine.middlewares.retries.RetryPolicy": 550,
    "crawler.engine.middlewares.redirects.RedirectPolicy": 600,
    # Before redirects are followed, an answer that says that we are not let in is seen.
    "crawler.engine.middlewares.login.LoginMiddleware": 640,
    "crawler.engine.middlewares.proxy.ProxyMiddleware": 750,
}
# 404 and the like go to the spider too: they are outcomes.
HTTPERROR_ALLOW_ALL = True
SPIDER_MIDDLEWARES = {
    # Drops longer URLs without a word; storage.urls has a bound and says so.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
    "crawler.engine.middlewares.owed_pages.OwedPagesMiddleware": 900,
}
ITEM_PIPELINES = {
    "crawler.engine.pipelines.ExtractionPipeline": 100,
    "crawler.engine.pipelines.FrontierDecisionPipeline": 200,
    "crawler.engine.pipelines.ArchivePipeline": 300,
    # After the outcome: what the frontier says is fetched must be safe.
    "crawler.engine.pipelines.FrontierPipeline": 400,
    # Last: from here on an item is the line of an outcome.
    "crawler.engine.pipelines.OutcomePipeline": 500,
}
# Whether a crawler runs by itself, as with `scrapy crawl`: it then closes its session and takes its site's lock.
# `newskeep` does both around its crawlers.
STANDALONE = True
# Not Scrapy's own list: it imports the console and the remote control, though both are off, and with them a web server
# and an SSH library, which is a fifth of the time that a crawl takes to start.
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
    "scrapy.extensions.memusage.MemoryUsage": 0,
}
EXTENSIONS = {
    "crawler.engine.extensions.SessionExtension": 0,
    "crawler.engine.extensions.SiteExtension": 10,
    "crawler.engine.faults.FaultExtension": 20,
}
# What `-o FILE` writes.
FEED_EXPORT_ENCODING = "utf-8"
STATS_DUMP = False
LOG_LEVEL = "WARNING"
