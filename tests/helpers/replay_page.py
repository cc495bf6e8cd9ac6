"""A page captured with all that it needs to be seen, and `newskeep serve --replay` over its archive.

`pytest_plugins = ["replayed"]` in a test module gives it the session's `shown`.
Nothing is tested here: PYTEST_DONT_REWRITE lets test modules import the rest as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from foreign_venvs import environment
from origin import Origin
from sample_archive import OPERATOR, TOOLS, picture
from warm_start import shared
from web_archive import Serving, Site

_REPLAY = re.compile(r"replayed ones on port (\d+);")

STYLE = b'@import "more.css"; h1 { color: rgb(1, 2, 3) }'
MORE = b"""
@font-face { font-family: Town; src: url(town.woff2) }
h1 { font-family: Town, serif; text-decoration-line: underline }
#tower { width: 64px; height: 64px; background: url("/pictures/back.png") }
"""
CODE = b"document.querySelector('#made').textContent = 'made by a script of ' + location.pathname"
COOKIE = "session=of-a-reader; Path=/"
#: Tries every way out that a script has; `{to}` and `{app}` are where it wants to.
ENEMY = """<!doctype html><title>Enemy</title><p id=told></p><script>
const told = {};
const tried = (name, act) => { try { act() } catch (error) { told[name] = String(error) } };
const to = name => "{to}/" + name;
tried("fetch", () => fetch(to("fetch"), {mode: "no-cors"}).catch(error => told.fetch = String(error)));
tried("app", () => fetch("{app}/api/counts").then(got => told.app = got.status, error => told.app = "refused"));
tried("image", () => { new Image().src = to("image") });
tried("html", () => { document.body.insertAdjacentHTML("beforeend", `<img src="${to("html")}">
  <iframe src="${to("frame")}"></iframe><link rel=stylesheet href="${to("link")}">
  <object data="${to("object")}"></object>`) });
tried("css", () => { const style = document.createElement("style"); document.head.append(style);
  style.textContent = `@import url("${to("import")}")`;
  style.sheet.insertRule(`p { background: url("${to("rule")}") }`) });
tried("beacon", () => navigator.sendBeacon(to("beacon"), "x"));
tried("socket", () => { new WebSocket(to("socket").replace("http", "ws")) });
tried("events", () => { new EventSource(to("events")) });
tried("worker", () => { new Worker(URL.createObjectURL(new Blob([`fetch("${to("worker")}", {mode: "no-cors"})`]))) });
tried("xhr", () => { const ask = new XMLHttpRequest(); ask.open("GET", to("xhr")); ask.send() });
tried("form", () => { const form = document.createElement("form"); form.action = to("form"); form.target = "_blank";
  document.body.append(form); HTMLFormElement.prototype.submit.call(form) });
tried("service", () => navigator.serviceWorker.register("/web/{stamp}/{to}/sw.js")
  .then(() => told.service = "registered", error => told.service = "refused"));
tried("modal", () => alert(1));
const tell = () => { document.querySelector("#told").textContent = JSON.stringify(told); document.title = "done" };
const wait = () => setTimeout("app" in told && "service" in told ? tell : wait, 1500);
wait();
</script>"""


@dataclass(frozen=True, slots=True)
class Shown:
    """The archive of a page, whose origin has stopped."""

    folder: Path
    origin: Origin

    @property
    def url(self) -> str:
        return self.origin.url("/page")


class Replaying(Serving):
    """`newskeep serve --replay` on free ports for the time of the block; `replay` is the third origin."""

    replay: str

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        pywb = str(environment("webarchive", TOOLS))
        super().__init__(folder, "--replay", "--replay-port", "0", "--pywb", pywb, *options, **environ)

    def __enter__(self) -> Site:
        site = super().__enter__()
        port = _REPLAY.search(self.log.read_text())
        assert port, self.log.read_text()
        self.replay = f"{site.app.rpartition(':')[0]}:{port[1]}"
        return site

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("replay") / "archive"
    with Origin() as origin:
        install(origin)
        save(origin, str(folder))
    yield Shown(folder, origin)


def install(origin: Origin) -> None:
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>The bridge</title>"
        "<link rel=stylesheet href=/css/style.css>"
        '<h1>The bridge is open</h1><img id=plain src="/pictures/plain.png" alt="">'
        '<img id=sharp src="data:," srcset="pictures/sharp.png 1x, pictures/sharper.png 2x" alt="">'
        f'<img id=whole src="{origin.url("/pictures/whole.png")}" alt=""><div id=tower></div>'
        "<p>It was built in three years, and nobody thought that it would ever be finished.</p>"
        '<p id=made></p><p><a href="/other">Elsewhere</a></p><script src="/code.js"></script></html>'
    )
    kind = "Content-Type"
    origin.reply("/robots.txt", b"User-agent: *\nDisallow:\n", headers=[(kind, "text/plain")])
    origin.reply("/page", page.encode(), headers=[(kind, "text/html"), ("Set-Cookie", COOKIE)])
    origin.reply("/css/style.css", STYLE, headers=[(kind, "text/css")])
    origin.reply("/css/more.css", MORE, headers=[(kind, "text/css")])
    origin.reply("/css/town.woff2", b"no real font", headers=[(kind, "font/woff2")])
    origin.reply("/code.js", CODE, headers=[(kind, "text/javascript")])
    for name in ("plain", "sharp", "sharper", "whole", "back"):
        origin.reply(f"/pictures/{name}.png", picture(), headers=[(kind, "image/png")])


def save(origin: Origin, archive: str, *more: str, **environ: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSKEEP_", "AWS_"))}
    command = ("save", origin.url("/page"), "--archive", archive, "--allow-private", "--requisites")
    done = shared().run((*command, "--operator", OPERATOR, *more), Path.cwd(), {**clean, **environ})
    assert done.returncode == 0, done.stderr.decode()
