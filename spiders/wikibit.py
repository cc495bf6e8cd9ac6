"""WikiBit, a portal on crypto currencies: one host a language, addresses that end in a long number."""

from spiders.base import NewsSpider


class Wikibit(NewsSpider):
    name = "wikibit"
    start_urls = ["https://www.wikibit.com/en/"]
    hosts = ["wikibit.com"]
    include = [r"/\d{15,}\.html$"]
