"""Which proxy a request goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy.downloadermiddlewares.httpproxy import HttpProxyMiddleware

from crawler.politeness.proxies import is_socks

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

#: In a request's meta: the environment chose its proxy, as Scrapy marks it.
_BY_ENVIRONMENT = "_scheme_proxy"


class ProxyMiddleware(HttpProxyMiddleware):
    """Sends every request through the proxy of the configuration; without one, as the environment says.

    That is http_proxy and https_proxy, all_proxy for what has none of its own, and no_proxy for hosts that are asked
    directly. Scrapy's class does the rest, but knows no all_proxy, and keeps the proxy over redirects to such hosts.
    """

    def __init__(self, auth_encoding: str | None = "latin-1", proxy: str | None = None) -> None:
        super().__init__(auth_encoding)
        self._proxy = proxy
        for scheme in ("http", "https"):
            if "all" in self.proxies:
                self.proxies.setdefault(scheme, self.proxies["all"])

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings.get("HTTPPROXY_AUTH_ENCODING"), crawler.settings.get("PROXY"))

    def _get_proxy(self, url: str, orig_type: str) -> tuple[bytes | None, str]:  # noqa: ARG002
        if is_socks(url):
            # User and password are the connection's.
            return None, url
        # An address without a scheme is one of HTTP, whatever goes through the proxy.
        return super()._get_proxy(url, "http")

    def process_request(self, request: Request) -> None:  # type: ignore[override]
        if request.meta.pop(_BY_ENVIRONMENT, False):
            # Chosen for the address that redirected here.
            request.meta.pop("proxy", None)
        if self._proxy:
            request.meta.setdefault("proxy", self._proxy)
        super().process_request(request)
