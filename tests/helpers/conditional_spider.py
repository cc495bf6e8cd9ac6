"""A spider of a folder's own, for `again.py` there, that asks for everything with one condition."""

AGAIN = """
from spiders.urls import UrlsSpider
from crawler.session.conditional import conditional_headers

class Again(UrlsSpider):
    name = "again"

    def _request(self, listed):
        request = super()._request(listed)
        request.headers.update(conditional_headers('"v1"', None))
        return request
"""
