"""Computerworld.dk, a Danish IT paper."""

from spiders.base import NewsSpider


class Computerworld(NewsSpider):
    name = "computerworld"
    start_urls = ["https://www.computerworld.dk/"]
    feeds = ["https://www.computerworld.dk/rss/all"]
    include = [r"^https://www\.computerworld\.dk/art/\d+/"]
