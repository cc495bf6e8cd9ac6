"""Pages that scripts make, saved with a browser: what is archived of each shape, and what none of them may do."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import rendered
from conditional_spider import AGAIN
from live_processes import all_processes, is_alive, told_of
from origin import Hang, Origin, response
from waiting import until
from warm_start import shared
from web_archive import Serving

from crawler.browser.job import RenderBounds, RenderJob
from crawler.browser.processes import descendants
from storage import open_archive
from storage.errors import NotArchived
from storage.renditions import uri_of
from storage.warc import Record, read_records

CHROMIUM = shutil.which("chromium")
pytestmark = [pytest.mark.long, pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")]

HTML = [("Content-Type", "text/html; charset=utf-8")]
SENTENCE = "The council voted for the new bridge on Monday evening after a long debate about its cost and its colour."
#: A script's words for an article of 120 words, with a mark by which it is known.
STORY = (
    f"'<article><h1>A bridge opens</h1>' + Array(6).fill('<p>{SENTENCE}</p>').join('') + '<p>' + %s + '</p></article>'"
)


def shell(script: str, before: str = "") -> bytes:
    """A page that is a frame for its script, which has `story(mark)` and `show(html)`."""
    return f"""<!doctype html><title>Bridge</title>{before}<div id="root"></div><script>
const story = (mark) => {STORY % "mark"};
const show = (html) => {{ document.getElementById("root").innerHTML = html; }};
{script}</script>""".encode()


@dataclass(frozen=True, slots=True)
class Shape:
    """A page, and what becomes of it: an article with `mark` in it, or none, for a reason that begins so."""

    page: bytes
    mark: str | None = None
    reason: str = ""
    #: Paths that must not be asked for, on any origin.
    never: tuple[str, ...] = ()


def shapes(other: str) -> Mapping[str, Shape]:
    return {
        "written": Shape(shell("show(story('mark-written'))"), "mark-written"),
        "fetched": Shape(
            shell("fetch('/data').then((a) => a.json()).then((a) => show(story(a.mark)))"), "mark-fetched"
        ),
        "imported": Shape(
            b'<!doctype html><title>0</title><div id="app"></div><script type="module" src="/module.js"></script>',
            "mark-module",
        ),
        "element": Shape(
            shell(
                "customElements.define('news-app', class extends HTMLElement { connectedCallback() {"
                "this.attachShadow({mode: 'open'}).innerHTML = story('mark-shadow'); } });",
                "<news-app></news-app>",
            ),
            "mark-shadow",
        ),
        "late": Shape(shell("setTimeout(() => fetch('/data').then(() => show(story('mark-late'))), 300)"), "mark-late"),
        "lazy": Shape(
            shell(
                "new IntersectionObserver((seen) => seen[0].isIntersecting && show(story('mark-lazy')))"
                ".observe(document.getElementById('root'));"
            ),
            "mark-lazy",
        ),
        "moved": Shape(shell("history.replaceState(0, 0, '#there'); show(story('mark-moved'))"), "mark-moved"),
        "routed": Shape(shell("history.pushState(0, 0, '/elsewhere'); show(story('mark-routed'))"), "mark-routed"),
        "reloads": Shape(
            shell("show(story('mark-reloads')); setTimeout(() => location.reload(), 300)"), "mark-reloads"
        ),
        "frame": Shape(shell("root.innerHTML = '<iframe src=/target width=900 height=900></iframe>'"), "mark-target"),
        "sent on": Shape(shell("location.replace('/target')"), "mark-target"),
        "endless timer": Shape(
            shell("show(story('mark-timer')); setInterval(() => document.title += '.', 5)"), "mark-timer"
        ),
        "endless requests": Shape(
            shell(
                # Never at rest: what comes to rest is half a second without any.
                "show(story('mark-polls'));"
                "(async () => { for (;;) { await fetch('/data'); await new Promise((go) => setTimeout(go, 200)); } })()"
            ),
            "mark-polls",
        ),
        "popup": Shape(shell("open('/popup'); show(story('mark-popup'))"), "mark-popup", never=("/popup",)),
        "download": Shape(
            shell(
                "const a = document.createElement('a'); a.href = '/file'; a.download = 'x'; a.click();"
                "show(story('mark-download'))"
            ),
            "mark-download",
        ),
        "worker": Shape(
            shell("navigator.serviceWorker.register('/sw.js').catch(() => 0).then(() => show(story('mark-worker')))"),
            "mark-worker",
        ),
        "socket": Shape(
            shell(f"new WebSocket('{other.replace('http', 'ws')}/socket'); show(story('mark-socket'))"),
            "mark-socket",
            never=("/socket",),
        ),
        "dialog": Shape(shell("alert(1); confirm(2); prompt(3); show(story('mark-dialog'))"), "mark-dialog"),
        "print": Shape(shell("print(); onbeforeunload = () => 'stay'; show(story('mark-print'))"), "mark-print"),
        "leaves": Shape(
            shell(f"location = '{other}/private'; show(story('mark-leaves'))"), "mark-leaves", never=("/private",)
        ),
        "file": Shape(shell("show(story('mark-file')); location = 'file:///etc/passwd'"), "mark-file"),
        "chrome": Shape(shell("show(story('mark-chrome')); location = 'chrome://settings'"), "mark-chrome"),
        # In the manner of React: elements as objects, put into the page by a scheduler of its own.
        "elements": Shape(
            shell(
                "const h = (type, props, ...children) => ({type, props, children});"
                "const mount = (node, parent) => { if (typeof node === 'string') return parent.append(node);"
                "if (typeof node.type === 'function') return mount(node.type(node.props), parent);"
                "const made = document.createElement(node.type); Object.assign(made, node.props);"
                "node.children.forEach((child) => mount(child, made)); parent.append(made); };"
                f"const Story = () => h('article', {{}}, ...Array(6).fill('{SENTENCE}').map((s) => h('p', {{}}, s)),"
                "h('p', {}, 'mark-elements'));"
                "const channel = new MessageChannel(); channel.port1.onmessage = () => mount(h(Story), root);"
                "channel.port2.postMessage(0);"
            ),
            "mark-elements",
        ),
        # In the manner of Vue: a template in the page, and data whose change shows.
        "template": Shape(
            shell(
                "const render = (data) => { root.innerHTML = document.getElementById('page').innerHTML"
                ".replace(/{{ (\\w+) }}/g, (_, name) => data[name]); };"
                "const data = new Proxy({body: ''}, {set(to, name, value) {"
                "to[name] = value; queueMicrotask(() => render(to)); return true; }});"
                "fetch('/data').then(() => { data.body = story('mark-template'); });",
                '<script type="text/x-template" id="page"><main>{{ body }}</main></script>',
            ),
            "mark-template",
        ),
        # In the manner of Lit: elements within elements, their text in open shadow roots and slots.
        "nested elements": Shape(
            shell(
                "class Body extends HTMLElement { connectedCallback() { const root = this.attachShadow({mode: 'open'});"
                "Promise.resolve().then(() => { root.innerHTML = '<div><slot></slot></div>'; }); } }"
                "class Story extends HTMLElement { async connectedCallback() {"
                "const root = this.attachShadow({mode: 'open'}); await 0;"
                "root.innerHTML = '<news-body>' + story('mark-nested') + '</news-body>'; } }"
                "customElements.define('news-body', Body); customElements.define('news-story', Story);",
                "<news-story></news-story>",
            ),
            "mark-nested",
        ),
        "closed root": Shape(
            shell(
                "customElements.define('news-app', class extends HTMLElement { connectedCallback() {"
                "this.attachShadow({mode: 'closed'}).innerHTML = story('mark-closed'); } });",
                "<news-app></news-app>",
            ),
            # Nobody but its script can read it.
            None,
            "no text: needs scripts (though it was rendered)",
        ),
        "declared root": Shape(
            shell(
                "document.body.setHTMLUnsafe('<news-app><template shadowrootmode=open>' + story('mark-declared') +"
                " '</template></news-app>')"
            ),
            "mark-declared",
        ),
        "foreign frame": Shape(
            shell(f"root.innerHTML = '<iframe src={other}/target width=900 height=900></iframe>'"), "mark-target"
        ),
        "overlay": Shape(
            shell(
                "show(story('mark-overlay')); const over = document.createElement('div');"
                "over.textContent = 'Subscribe!';"
                "over.style = 'position:fixed;inset:0;background:#fff'; document.body.append(over);"
                "document.body.style.overflow = 'hidden'"
            ),
            "mark-overlay",
        ),
        "alerts": Shape(shell("show(story('mark-alerts')); setInterval(() => alert('again'), 1)"), "mark-alerts"),
        "huge": Shape(
            shell(
                "show(story('mark-huge')); const many = document.createElement('div');"
                "for (let i = 0; i < 200000; i++) many.append(document.createElement('i')); document.body.append(many)"
            ),
            None,
            "no text: too large",
        ),
        "blob": Shape(
            shell(
                "show(story('mark-blob')); location = URL.createObjectURL(new Blob(['<p>gone'], {type: 'text/html'}))"
            ),
            None,
            "no text: needs scripts (not rendered: the page went where it may not go)",
        ),
        "data": Shape(shell("show(story('mark-data')); location = 'data:text/html,<p>gone'"), "mark-data"),
        "crash page": Shape(shell("show(story('mark-crashed')); location = 'chrome://crash'"), "mark-crashed"),
        "refused": Shape(
            shell("location = '/forbidden'"),
            None,
            "no text: needs scripts (not rendered: the browser was answered 403 Forbidden)",
        ),
        "nothing": Shape(shell("void 0"), None, "no text: needs scripts (though it was rendered)"),
        "crash": Shape(
            shell("const held = []; for (;;) held.push(new Array(1e6).fill(Math.random()))"),
            None,
            # It crashes; on a busy machine its time may be up before.
            "no text: needs scripts (not rendered: the page ",
        ),
    }


@dataclass(frozen=True, slots=True)
class Saved:
    archive: Path
    origin: Origin
    other: Origin
    outcomes: Mapping[str, Any]
    shapes: Mapping[str, Shape]


#: Near to others, and a browser more each.
MORE = frozenset(
    [
        *(
            "fetched",
            "endless timer",
            "imported",
            "lazy",
            "moved",
            "reloads",
            "popup",
            "download",
            "socket",
            "dialog",
            "print",
            "file",
            "chrome",
        ),
        *(
            "elements",
            "template",
            "nested elements",
            "closed root",
            "declared root",
            "foreign frame",
            "overlay",
            "alerts",
        ),
        *("huge", "blob", "data", "crash page"),
    ]
)


@pytest.fixture(scope="module")
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """Every shape that is asked for, saved in one run."""
    folder = tmp_path_factory.mktemp("shapes")
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    names = {item.callspec.params["shape"] for item in tests if item.originalname == "test_a_shape"}
    with Origin() as origin, Origin() as other:
        found = {name: shape for name, shape in shapes(other.url("")).items() if not names or name in names}
        origin.on_any(lambda path: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        origin.reply("/data", b'{"mark": "mark-fetched"}', headers=[("Content-Type", "application/json")])
        for each in (origin, other):
            each.reply("/target", shell("show(story('mark-target'))"), headers=HTML)
        origin.on("/forbidden", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        origin.reply("/file", b"a file", headers=[("Content-Disposition", "attachment")])
        module = f"document.getElementById('app').innerHTML = {STORY % repr('mark-module')};"
        origin.reply("/module.js", module.encode(), headers=[("Content-Type", "text/javascript")])
        urls = {}
        for number, (name, shape) in enumerate(found.items()):
            origin.reply(f"/{number}", shape.page, headers=HTML)
            urls[origin.url(f"/{number}")] = name
        run = save(folder, *urls, "--render", "when-needed")
        assert run.returncode == 0, run.stderr
        outcomes = {urls[each["url"]]: each for each in map(json.loads, run.stdout.splitlines())}
        yield Saved(folder / "archive", origin, other, outcomes, found)


def save(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return shared().run(("save", *arguments, *common(folder)), folder, os.environ, timeout=580)


def common(folder: Path) -> tuple[str, ...]:
    return ("--allow-private", "--json", "--archive", str(folder / "archive"))


@pytest.mark.parametrize(
    "shape", [pytest.param(name, marks=[pytest.mark.exhaustive] if name in MORE else []) for name in shapes("")]
)
def test_a_shape(saved: Saved, shape: str) -> None:
    page, outcome = saved.shapes[shape], saved.outcomes[shape]
    assert outcome["outcome"] == "archived"
    with open_archive(saved.archive) as archive:
        if page.mark is None:
            assert outcome["reason"].startswith(page.reason)
            with pytest.raises(NotArchived):
                archive.article(outcome["url"])
        else:
            assert outcome["reason"] is None
            article = archive.article(outcome["final_url"])
            assert page.mark in article.text and SENTENCE in article.text
            assert article.extractor is not None and article.extractor.method.startswith("rendered, ")
            dom = archive.rendition(outcome["final_url"], "dom")
            assert dom.url == uri_of("dom", outcome["final_url"]) and page.mark.encode() in dom.block
    asked = {logged.path for origin in (saved.origin, saved.other) for logged in origin.log}
    assert asked.isdisjoint(page.never)


def test_all_that_went_is_in_the_archive(saved: Saved) -> None:
    held = records(saved.archive)
    requests = {record.block for record in held if record.type == "request"}
    assert {logged.request for logged in saved.origin.log} == requests
    # Plain answers come first, and are told as such.
    assert sum(b"HeadlessChrome" in request or b"Chrome/" in request for request in requests) >= len(saved.shapes)


def test_no_process_stays(saved: Saved) -> None:  # noqa: ARG001
    assert not [pid for pid in descendants(os.getpid()) if b"chrom" in told_of(pid, "comm")]


def test_nothing_is_rendered_unasked_or_where_the_answer_has_its_text(tmp_path: Path) -> None:
    story = f"<!doctype html><title>0</title><article><h1>A bridge</h1>{f'<p>{SENTENCE}</p>' * 6}</article>"
    with Origin() as origin:
        origin.reply("/plain", story.encode(), headers=HTML)
        origin.reply("/shell", shell("show(story('mark'))"), headers=HTML)
        plain = save(tmp_path, origin.url("/plain"), "--render", "when-needed")
        unasked = save(tmp_path, origin.url("/shell"))
        assert (plain.returncode, unasked.returncode) == (0, 0)
        assert json.loads(unasked.stdout)["reason"] == "no text: needs scripts"
        assert len(origin.logged("/plain")) == len(origin.logged("/shell")) == 1


def test_a_picture_and_a_pdf_stay_with_the_page(tmp_path: Path) -> None:
    archive = str(tmp_path / "archive")
    with Origin() as origin:
        url = origin.url("/a")
        origin.reply("/a", shell("show(story('mark'))"), headers=HTML)
        assert save(tmp_path, url, "--screenshot", "--pdf").returncode == 0
    got = {}
    for form, begins in (("screenshot", b"\x89PNG\r\n"), ("pdf", b"%PDF-"), ("dom", b"<!DOCTYPE html>")):
        got[form] = newskeep("get", url, "--as", form, "--archive", archive).stdout
        assert got[form].startswith(begins)
    with Serving(tmp_path / "archive") as room:
        beside = room.get(f"/beside/{url}", Accept="text/html").body.decode()
        [picture] = re.findall(r'src="(/screenshot/[^"]+)"', beside)
        answer = room.get(picture)
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "image/png", got["screenshot"])
        assert "How it looked" in room.get(f"/article/{picture.removeprefix('/screenshot/')}").body.decode()
    newskeep("remove", url, "--reason", "a test", "--purge", "--yes", "--archive", archive)
    assert b"urn:dom:" not in b"".join(record.block for record in records(tmp_path / "archive"))
    assert {record.type for record in records(tmp_path / "archive")} == {"warcinfo", "metadata", "response", "request"}


def newskeep(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    done = shared().run(arguments, Path.cwd(), os.environ)
    done.check_returncode()
    return done


def records(archive: Path) -> list[Record]:
    found = []
    for warc in archive.glob("warc/*/*/*/*.warc.gz"):
        with warc.open("rb") as file:
            found += list(read_records(file))
    return found


def test_what_a_site_declares_is_scrolled_and_clicked_and_nothing_else(tmp_path: Path) -> None:
    page = shell(
        "const more = document.getElementById('more'); let shown = 0;"
        "document.getElementById('accept').onclick = () => {"
        "document.title = 'accepted'; show(story('mark-consent')); };"
        "more.onclick = () => {"
        "fetch('/more'); if (++shown == 3) more.remove(); document.body.append(' part' + shown); };"
        "addEventListener('scroll', () => { if (scrollY > 500) document.body.dataset.scrolled = 1; });"
        "document.body.style.minHeight = '5000px';",
        '<button id="accept">Accept</button><button id="more">More</button>',
    )
    with Origin() as plain, Origin() as all_of_it:
        tables = ["allow_private = true"]
        for name, origin, declared in (
            ("plain", plain, ""),
            ("all", all_of_it, 'scroll = 2\nclick = ["#accept"]\nload_more = "#more"'),
        ):
            origin.on_any(lambda path: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            link = f'<a href="{origin.url("/2026/11/21/a-bridge-opens")}">A bridge opens in the town at last</a>'
            origin.reply("/", f"<!doctype html><title>Paper</title>{link}".encode(), headers=HTML)
            origin.reply("/2026/11/21/a-bridge-opens", page, headers=HTML)
            origin.reply("/more", b"")
            tables.append(f'[sites.{name}]\nstart = "{origin.url("/")}"\ndelay = 0\nrender = "always"\n{declared}')
        (tmp_path / "newskeep.toml").write_text("\n".join(tables))
        crawl = ("crawl", "plain", "all", "--json", "--archive", str(tmp_path / "archive"))
        run = shared().run(crawl, tmp_path, os.environ)
        assert run.returncode == 0, run.stderr
        assert not plain.logged("/more")
        assert len(all_of_it.logged("/more")) == 3
    shown = {record.url: record.block.decode() for record in records(tmp_path / "archive") if record.type == "resource"}
    article = "/2026/11/21/a-bridge-opens"
    assert shown.keys() == {uri_of("dom", each.url(article)) for each in (plain, all_of_it)}
    assert "<p>mark-consent</p>" not in shown[uri_of("dom", plain.url(article))]
    dom = shown[uri_of("dom", all_of_it.url(article))]
    assert "<title>accepted</title>" in dom and "<p>mark-consent</p>" in dom
    assert "part3" in dom and 'id="more"' not in dom
    assert 'data-scrolled="1"' in dom


#: Runs the spider that asks with a condition.
RUN_AGAIN = """
import sys
from crawler.run import Crawl, run
from storage import open_archive

settings = {"SPIDER_MODULES": ["again"], "ALLOW_PRIVATE_ADDRESSES": True, "RENDER": "when-needed"}
with open_archive("archive") as archive:
    run(archive, [Crawl("again", {"urls": sys.argv[1:]})], settings, lambda outcome: print(outcome.outcome))
"""


@pytest.mark.exhaustive
def test_a_shell_that_is_the_same_as_before_is_rendered_again(tmp_path: Path) -> None:
    page = shell("fetch('/data').then((a) => a.text()).then((a) => show(story(a)))")
    plain = f"<!doctype html><title>0</title><article><h1>A bridge</h1>{f'<p>{SENTENCE}</p>' * 6}</article>".encode()
    (tmp_path / "again.py").write_text(AGAIN)
    script = tmp_path / "run.py"
    script.write_text(RUN_AGAIN)
    with Origin() as origin:
        for path, body in (("/shell", page), ("/plain", plain)):
            origin.on(path, response(body, headers=[*HTML, ("ETag", '"v1"')]))
            origin.on(path, response(body, headers=[*HTML, ("ETag", '"v1"')]))
        for mark in ("mark-first", "mark-second"):
            origin.on_any(lambda path, mark=mark: response(mark.encode()) if path == "/data" else None)  # type: ignore[misc]
            program = [sys.executable, str(script), origin.url("/shell"), origin.url("/plain")]
            run = subprocess.run(program, cwd=tmp_path, capture_output=True, timeout=240, check=False)
            assert run.returncode == 0, run.stderr
            with open_archive(tmp_path / "archive") as archive:
                assert mark in archive.article(origin.url("/shell")).text
            origin.on_request(
                lambda _, request: b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n' if b'"v1"' in request else None
            )
        assert b"Chrome/" not in b"".join(logged.request for logged in origin.logged("/plain"))
    assert sorted(run.stdout.split()) == [b"archived", b"unchanged"]


def test_a_subscribers_secrets_go_to_the_host_of_the_page_alone_and_into_no_record(tmp_path: Path) -> None:
    cookie, token = "cookie-0123456789abcdef", "token-0123456789abcdef"
    page = shell(
        "fetch('/data').then((a) => a.json()).then((a) => show(story(a.mark + document.cookie)));"
        "fetch('OTHER/elsewhere').catch(() => 0)"
    )
    with Origin() as origin, Origin() as other:
        origin.reply("/a", page.replace(b"OTHER", other.url("").encode()), headers=HTML)
        origin.reply("/data", b'{"mark": "mark"}', headers=[("Content-Type", "application/json")])
        other.reply("/elsewhere", b"")
        jar = tmp_path / "cookies.txt"
        jar.write_text(f"127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tsid\t{cookie}\n")
        jar.chmod(0o600)
        secrets = ("--cookies", str(jar), "--header", f"X-Token: {token}")
        run = save(tmp_path, origin.url("/a"), "--render", "always", *secrets)
        assert run.returncode == 0, run.stderr
        asked = [logged.request for path in ("/a", "/data") for logged in origin.logged(path)]
        assert len(asked) == 3
        for request in asked:
            assert cookie.encode() in request and token.encode() in request
        [elsewhere] = [logged.request for logged in other.logged("/elsewhere")]
        assert token.encode() not in elsewhere
    held = records(tmp_path / "archive")
    assert [record.url for record in held if record.type == "resource"] == [uri_of("dom", origin.url("/a"))]
    for record in held:
        for secret in (cookie, token):
            assert secret.encode() not in record.block, record.fields
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != jar and holds(path, cookie)]


def holds(path: Path, secret: str) -> bool:
    return secret.encode() in path.read_bytes()


def test_addresses_that_are_not_public_are_not_asked_from_within_a_page() -> None:
    # The plain fetch refuses already; here the browser is on its own.
    with Origin() as origin:
        origin.reply("/", b"secret", headers=HTML)
        urls = (origin.url("/"), origin.url("/").replace("127.0.0.1", "localhost"))
        for shown in rendered(*(RenderJob(url, str(CHROMIUM), "newskeep/test") for url in urls)):
            assert shown.error is not None and "not a public address" in shown.error
            assert (shown.exchanges, shown.resources) == ((), ())
        assert origin.log == []


def test_a_crawl_that_is_killed_leaves_no_browser(tmp_path: Path) -> None:
    with Origin() as origin:
        origin.reply("/a", shell("fetch('/never')"), headers=HTML)
        origin.on("/never", b"HTTP/1.1 200 OK\r\n", Hang())
        command = ("save", origin.url("/a"), "--render", "when-needed", *common(tmp_path))
        crawl = shared().start(command, tmp_path, os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: bool(origin.logged("/never")) or crawl.poll() is not None)
            below = descendants(crawl.pid)
            assert any(b"chrom" in told_of(pid, "comm") for pid in below)
        finally:
            crawl.send_signal(signal.SIGKILL)
            crawl.wait()
        until(lambda: not [pid for pid in below if is_alive(pid)])


def test_a_page_that_hangs_costs_itself_alone(homes: Path) -> None:
    with Origin() as origin:
        origin.reply("/a", b"<!doctype html><p>Hello<script>for (;;);</script>", headers=HTML)
        job = RenderJob(origin.url("/a"), str(CHROMIUM), "x", allow_private=True, bounds=RenderBounds(seconds=2))
        [shown] = rendered(job)
    assert shown.error == "the page did not come to rest within 2 s"
    assert shown.resources == ()
    assert not browsers(homes)


def test_its_process_killed_leaves_no_browser(homes: Path) -> None:
    with Origin() as origin, ThreadPoolExecutor(1) as thread:
        origin.reply("/a", shell("fetch('/never')"), headers=HTML)
        origin.on("/never", b"HTTP/1.1 200 OK\r\n", Hang())
        job = RenderJob(origin.url("/a"), str(CHROMIUM), "x", allow_private=True)
        work = thread.submit(rendered, job)
        until(lambda: bool(origin.logged("/never")) or work.done())
        assert browsers(homes)
        [worker] = [pid for pid in descendants(os.getpid()) if b"crawler.browser.worker" in told_of(pid, "cmdline")]
        os.kill(worker, signal.SIGKILL)
        [shown] = work.result()
    assert shown.error is not None and shown.error.startswith("the browser ended early")
    # It ends by itself once nobody drives it, which takes a busy machine a moment.
    until(lambda: not browsers(homes))


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the browsers of this test have their folders, and no others."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def browsers(homes: Path) -> list[int]:
    """Those that run, whoever's children they are by now."""
    return [pid for pid in all_processes() if str(homes).encode() in told_of(pid, "cmdline") and is_alive(pid)]
