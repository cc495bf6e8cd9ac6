"""From what a site's table says to its subscription: files read, references resolved."""

from __future__ import annotations

from urllib.parse import urlsplit

from crawler.sites.site import Site
from crawler.subscriptions.cookie_files import read_cookies
from crawler.subscriptions.references import resolve
from crawler.subscriptions.subscription import Subscription
from storage.homes import expanded


def subscription_of(site: Site) -> Subscription | None:
    """Return a subscription with a jar of its own; `None` for a site without one.

    Raises `ConfigError` for a file that cannot be read, and for a secret that is not there.
    """
    if not (site.cookies or site.headers or site.login):
        return None
    where = f"[sites.{site.name}]"
    cookies = read_cookies(expanded(site.cookies), f"{where} cookies") if site.cookies else []
    headers = [(name, resolve(value, f"{where} headers: {name}")) for name, value in site.headers]
    login = site.login and site.login.map(lambda name, value: resolve(value, f"{where} login: {name}"))
    return Subscription(cookies, headers, lambda url: _is_at(site, url), login)


def _is_at(site: Site, url: str) -> bool:
    """Whether an address is the site's own, and not over plain HTTP where the site is over TLS."""
    is_safe = urlsplit(url).scheme == "https" or any(urlsplit(each).scheme == "http" for each in site.sources)
    return is_safe and site.owns(url)
