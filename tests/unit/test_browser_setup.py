"""What is said where a browser is missing, or must not be used; jobs and processes without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from crawler.browser.chromium import check_rendering, environment, find_chromium
from crawler.browser.job import Behaviour, RenderBounds, RenderJob
from crawler.browser.processes import descendants, kill_descendants
from crawler.browser.worker import read_job
from crawler.config import Config
from crawler.politeness.proxies import environment_proxy
from crawler.run import check_network
from crawler.sites.site import load_sites
from storage.errors import ConfigError


def test_one_line_where_there_is_no_chromium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^chromium: there is no program /nowhere/chromium$"):
        find_chromium("/nowhere/chromium")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no Chromium here; apt install chromium, or name one as `chromium`$"):
        find_chromium(None)
    program = tmp_path / "google-chrome"
    program.write_text("")
    program.chmod(0o755)
    assert find_chromium(None) == str(program)


def test_what_is_configured_is_checked_before_anything_is_fetched() -> None:
    check_network(Config(chromium="/nowhere/chromium"))
    with pytest.raises(ConfigError, match="no program"):
        check_network(Config(render="when-needed", chromium="/nowhere/chromium"))
    assert check_rendering(sys.executable) == sys.executable


def test_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert environment_proxy("http://a.example/") is None
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:2")
    monkeypatch.setenv("no_proxy", "b.example")
    assert environment_proxy("http://a.example/") == "http://127.0.0.1:2"
    assert environment_proxy("https://a.example/") == "socks5://127.0.0.1:1"
    assert environment_proxy("http://b.example/") is None


def test_a_browser_learns_nothing_of_where_it_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:3128")
    assert "secret" not in str(environment(tmp_path)) and environment(tmp_path)["HOME"] == str(tmp_path)


def test_a_job_comes_as_it_was_sent() -> None:
    job = RenderJob(
        *("https://a.example/", "chromium", "newskeep/1"),
        fields=(("X-Token", "t"),),
        behaviour=Behaviour(2, ("#a",), "b", 3),
        bounds=RenderBounds(seconds=5),
    )
    assert read_job(json.dumps(asdict(job)).encode()) == job


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("render", "sometimes", '"never", "when-needed" or "always"'), ("scroll", -1, "from 0"), ("click", 1, "a text")],
)
def test_a_sites_keys(key: str, value: object, said: str) -> None:
    table = {"start": "https://a.example/", key: value}
    with pytest.raises(ConfigError, match=said):
        load_sites(Config(sites={"a": table}))
    right = {"start": "https://a.example/", "render": "always", "scroll": 2, "click": "#a", "load_more": "b"}
    site = load_sites(Config(sites={"a": right}))["a"]
    assert (site.render, site.scroll, site.click, site.load_more) == ("always", 2, ("#a",), "b")


def test_all_that_a_process_started_is_killed() -> None:
    # A shell, and below it one in a session of its own.
    process = subprocess.Popen(["sh", "-c", "setsid sleep 600 & sleep 600"])
    try:
        while len(descendants(process.pid)) < 2:
            time.sleep(0.01)
        assert process.pid in descendants(os.getpid())
        below = descendants(process.pid)
        kill_descendants(process.pid)
        assert not descendants(process.pid) and len(below) >= 2
    finally:
        process.kill()
        process.wait()
