"""A news article with what stands around one: navigation, a related link, a newsletter box, a footer."""

PARAGRAPHS = [
    (
        "The council of Lower Example decided on Tuesday to move the old library into the empty station, "
        "after a debate of nearly six hours in which forty citizens spoke."
    ),
    (
        "“We have waited eleven years for a roof that does not leak,” said the librarian, who has carried "
        "buckets through the reading room every winter since she came."
    ),
    (
        "The move is to cost two million crowns, a third of which the county pays. The rest comes from the "
        "sale of the old building, which a brewery wants to turn into a restaurant."
    ),
    (
        "Not everybody is content. The association of railway friends fears for the waiting room with its "
        "painted ceiling, and asks for a second opinion before the first shelf is moved."
    ),
    (
        "Work is to begin in spring, and the first readers are expected before the snow falls again, if the "
        "builders keep the dates they have promised to the mayor."
    ),
]
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Library moves | The Lower Post</title>
<script type="application/ld+json">{"@type":"NewsArticle","headline":"Library moves into the station",
"datePublished":"2026-11-20T08:00:00Z","author":{"@type":"Person","name":"Ann Example"}}</script></head>"""
PAGE = f"""{HEAD}<body><nav><ul><li><a href="/">Front page</a></li><li><a href="/sport">Sport</a></li></ul></nav>
<main><article class="article"><h1>Library moves into the station</h1>
<div class="byline">By Ann Example</div>
<div class="article-body"><p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p>
<div class="related-box"><a href="/news/brewery-wants-library">Brewery wants library</a></div>
<p>{PARAGRAPHS[2]}</p><h2>Friends of the waiting room</h2><p>{PARAGRAPHS[3]}</p><p>{PARAGRAPHS[4]}</p></div>
</article></main>
<div class="newsletter-signup"><p>Sign up for our newsletter and get the news each morning.</p>
<button>Send</button></div>
<footer class="site-footer"><p>© 2026 The Lower Post. All rights reserved.</p></footer></body></html>"""
