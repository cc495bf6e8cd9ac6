"""A small news site of our own: two invented papers, served on a loopback port to see the whole way of a page.

`Kabelavisen` is a Danish IT trade paper: in the article's own column and markup stand read-also links, a company guide
and event adverts in full sentences that change from page to page. `TokenHeron` is an English crypto portal: slogan,
language switch, Download, the headline twice, a promotion, exchange rates, a disclaimer and a calculator. One page
cannot tell such lines from its article; the pages of a site together can.

    from newskeep.demo import DemoSite

    with DemoSite() as site:
        save(site.urls)
        article = site.article(site.urls[0])  # what should be kept, and what not

Every text here was written for this package. `papers()` has the same articles without a server.
"""

from newskeep.demo.papers import DemoArticle, Paper, papers
from newskeep.demo.server import DemoSite

__all__ = ["DemoArticle", "DemoSite", "Paper", "papers"]
