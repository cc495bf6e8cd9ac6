"""pywb replays a page that a browser has shown, with what its script asked for, when the origin is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browsing import rendered
from origin import Origin
from pywb_server import running_pywb
from sample_archive import Tools

from crawler.browser.job import RenderJob
from newskeep import open_archive

CHROMIUM = shutil.which("chromium")
pytest_plugins = ["sample_archive"]
pytestmark = [
    pytest.mark.long,
    pytest.mark.exhaustive,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]

PAGE = b"""<!doctype html><title>Bridge</title><link rel="stylesheet" href="/s.css"><div id="root"></div>
<script src="/app.js"></script>"""
APP = b"""fetch("/data.json").then((a) => a.json()).then((a) => {
  document.getElementById("root").innerHTML = "<p>" + a.text + "</p>";
});"""
TEXT = "The council voted for the new bridge on Monday evening."


def test_it_shows_what_was_shown(tools: Tools, tmp_path: Path) -> None:
    with Origin() as origin, open_archive(tmp_path / "archive") as archive:
        url = origin.url("/a")
        for path, body, kind in (
            ("/a", PAGE, "text/html"),
            ("/app.js", APP, "text/javascript"),
            ("/s.css", b"p { color: green }", "text/css"),
            ("/data.json", b'{"text": "%s"}' % TEXT.encode(), "application/json"),
        ):
            origin.reply(path, body, headers=[("Content-Type", kind)])
        file = tmp_path / "newskeep.toml"
        file.write_text('render = "always"\n')
        [outcome] = archive.save([url], allow_private=True, config=file)
        assert outcome.outcome == "archived"
    folder = tmp_path / "pywb"
    folder.mkdir()
    warcs = sorted((tmp_path / "archive").glob("warc/*/*/*/*.warc.gz"))
    for arguments in (["init", "held"], ["add", "held", *warcs]):
        done = tools("wb-manager", *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr
    with running_pywb(tools, folder) as port:
        replayed = f"http://127.0.0.1:{port}/held/mp_/{url}"
        [shown] = rendered(RenderJob(replayed, str(CHROMIUM), "newskeep/test", allow_private=True))
    assert shown.error is None
    assert f"<p>{TEXT}</p>".encode() in shown.resources[0].data
    assert {exchange.url.rpartition("/")[2] for exchange in shown.exchanges} >= {"a", "app.js", "s.css", "data.json"}
