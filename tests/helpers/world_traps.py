"""What a crawler can fall into: pages without end and redirects without end. Nothing here is an article."""

from __future__ import annotations

from datetime import datetime
from random import Random

import world_text
from world_pages import shell
from world_sites import Site

#: Trap -> a path that leads into it, as it stands on the front page.
ENTRANCES = {
    "calendar": "/calendar/{at:%Y/%m}",
    "pages": "/more?page=1",
    "loop": "/{at:%Y/%m/%d}/a-story-that-goes-in-circles-1",
    "hops": "/{at:%Y/%m/%d}/a-story-that-never-arrives-1-9",
    "soft": "/{at:%Y/%m/%d}/one-of-very-many-stories-1000001",
}


def entrances(site: Site, at: datetime) -> str:
    links = (
        f'<h2><a href="{ENTRANCES[name].format(at=at)}">{name.title()} and more of it</a></h2>'
        for name in site.character.traps
    )
    return "".join(links)


def trap(site: Site, target: str, at: datetime) -> tuple[str, str, str] | None:
    """Return the trap's name, the HTML and the address it redirects to; one of the two is empty."""
    for name in site.character.traps:
        if name == "calendar" and target.startswith("/calendar/"):
            return name, _calendar(site, target, at), ""
        if name == "pages" and target.startswith("/more?page="):
            return name, _pages(site, target, at), ""
        if name == "loop" and "/a-story-that-goes-in-circles-" in target:
            head, _, number = target.rpartition("-")
            return name, "", f"{head}-{3 - int(number)}"
        if name == "hops" and "/a-story-that-never-arrives-" in target:
            head, _, number = target.rpartition("-")
            return name, "", f"{head}-{int(number) + 1}"
        if name == "soft" and "/one-of-very-many-stories-" in target:
            return name, _soft(site, target, at), ""
    return None


def _calendar(site: Site, target: str, at: datetime) -> str:
    year, month = map(int, target.split("/")[2:4])
    links = []
    for step in (-1, 1):
        months = year * 12 + month - 1 + step
        links.append(f'<a href="/calendar/{months // 12}/{months % 12 + 1:02}">{months % 12 + 1}/{months // 12}</a>')
    days = "".join(f'<a href="/calendar/{year}/{month:02}?day={day}">{day}</a> ' for day in range(1, 29))
    return shell(site, "Calendar", f"<main><h1>Events {month}/{year}</h1>{days}{''.join(links)}</main>", at)


def _pages(site: Site, target: str, at: datetime) -> str:
    page = int(target.rpartition("=")[2])
    cards = "".join(f'<h2><a href="{each.path}">{each.title}</a></h2>' for each in site.newest(at, 10))
    more = f'<a rel="next" href="/more?page={page + 1}">Older stories</a>'
    return shell(site, f"Stories, page {page}", f"<main><h1>Stories</h1>{cards}{more}</main>", at)


def _soft(site: Site, target: str, at: datetime) -> str:
    """A page that looks like an article, with ten links to others of its sort."""
    random = Random(target)
    head = target.rpartition("-")[0]
    links = "".join(
        f'<h3><a href="{head}-{random.randrange(10**6, 10**7)}">{world_text.title(random)}</a></h3>' for _ in range(10)
    )
    text = "".join(f"<p>{paragraph}</p>" for paragraph in world_text.body(target))
    return shell(site, "A story", f"<main><h1>{world_text.title(random)}</h1>{text}<aside>{links}</aside></main>", at)
