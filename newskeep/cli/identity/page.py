"""`newskeep identity page`: the text of a page for those whom we visit."""

from __future__ import annotations

import click

from crawler.config import Config, user_agent
from newskeep.cli._options import configured
from newskeep.cli._terminal import echo

_EXAMPLES = """\b
Examples:
  newskeep identity page > bot.md

\b
Exit codes: 0 done, 2 the configuration is wrong."""

_PAGE = """\
# Our archive of the news

You came here from the log of your server. This crawler archives news, so that what was published can be read, quoted
and checked later. (Say here who you are, for whom, and why.)

* It calls itself `{agent}`, and asks robots.txt for the rules of `newskeep`.
* It asks a host for one page at a time, with a pause between two, and waits as long as
  Crawl-delay (a minute at most) or Retry-After say.
* {signed}
* It reads Content-Signal, Content-Usage, TDMRep, X-Robots-Tag and licences, and keeps what they said with each page.
* What says `noarchive`, or is past its `unavailable_after`, is shown to nobody but us.

To be left out, write into robots.txt:

    User-agent: newskeep
    Disallow: /

To have a page taken out, or to ask us anything: {contact}
"""


@click.command(epilog=_EXAMPLES)
@configured
def page(settings: Config) -> None:
    """Print a text for the page that the user agent names: what visits, how it behaves, how to reach you.

    It is Markdown, and yours to change: it holds for a configuration with robots.txt obeyed.
    """
    from crawler.identity import identity_of

    identity = identity_of(settings.signing_key, settings.agent)
    signed = "It does not sign its requests."
    if identity is not None:
        signed = f"It signs each request (Web Bot Auth) as `{identity.agent}`, with the key `{identity.thumbprint}`."
    contact = settings.operator or "(an address where you are reached)"
    agent = settings.user_agent or user_agent(settings.operator)
    echo(_PAGE.format(agent=agent, signed=signed, contact=contact).rstrip("\n"), lines=True)
