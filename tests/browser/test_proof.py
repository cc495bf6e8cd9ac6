"""The page that checks proofs, in chromium, from a file, without a network: it says what `check-proof` says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import browser, needs_browser
from logged_archive import begin_log, fill_logged
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from time_authority import running_authority

from newskeep.proofs.words import LIMITS, PAGE
from storage.archive import open_archive
from storage.transparency.proof import prove

pytestmark = [pytest.mark.long, needs_browser]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    started = browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.quit()


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Of a page, and of one that refers to another capture for its body; stamped."""
    folder = tmp_path_factory.mktemp("proofs")
    with (
        running_authority(folder / "authority") as authority,
        pytest.MonkeyPatch.context() as patch,
        open_archive(folder / "archive") as archive,
    ):
        begin_log(archive, folder / "home", patch)
        page = fill_logged(archive, authority)[2]
        return [prove(archive, capture) for capture in archive.captures(page.url)]


def said(chrome: Chrome, proof: bytes, folder: Path) -> tuple[str, str]:
    """What the page says of a proof: its verdict, and all below it."""
    path = folder / "proof.json"
    path.write_bytes(proof)
    chrome.get(PAGE.as_uri())
    chrome.find_element(By.ID, "file").send_keys(str(path))

    def verdict(driver: Chrome) -> str | None:
        text = driver.find_element(By.ID, "verdict").text
        return text if text and text != "Checking…" else None

    text = WebDriverWait(chrome, 120).until(verdict)
    assert isinstance(text, str)
    return text, chrome.find_element(By.ID, "result").text


def test_a_proof_holds(chrome: Chrome, proofs: list[bytes], tmp_path: Path) -> None:
    for proof in proofs:
        verdict, rest = said(chrome, proof, tmp_path)
        assert verdict == "The proof holds.", rest
        assert json.loads(proof)["url"] in rest
        assert "A time stamp over it names 20" in rest
        assert all(limit in rest for limit in LIMITS)
    errors = [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_what_the_publisher_said_is_shown_as_the_word_of_who_made_the_proof(
    chrome: Chrome, proofs: list[bytes], tmp_path: Path
) -> None:
    fields = json.loads(proofs[0])
    fields["rights"]["signals"] = [
        {"name": "noai", "value": None, "source": "X-Robots-Tag"},
        {"name": "license", "value": "<b>https://licence.example/</b>", "source": "link license"},
    ]
    verdict, rest = said(chrome, json.dumps(fields).encode(), tmp_path)
    assert verdict == "The proof holds.", rest
    assert "What the publisher said of its use, as who made this proof read it\nnoai, in X-Robots-Tag\n" in rest
    assert "license = <b>https://licence.example/</b>, in link license" in rest
    assert "That the publisher's signals are read right" in rest


@pytest.mark.parametrize("place", ["member", "leaf", "path", "index", "head", "key", "stamps", "captured", "url"])
def test_what_is_changed_does_not(chrome: Chrome, proofs: list[bytes], tmp_path: Path, place: str) -> None:
    fields, chance = json.loads(proofs[0]), random.Random(place)
    record, log = fields["records"][0], fields["logs"][0]
    holder = next(each for each in (record, log, fields) if place in each)
    value = holder[place]
    match value:
        case int():
            holder[place] = value + 1
        case list():
            at = chance.randrange(len(value))
            value[at] = value[at][:200].translate(str.maketrans("0Ab", "1Ba")) + value[at][200:]
        case str():
            at = value.index("20") if place in ("head", "captured") else len(value) // 2
            holder[place] = value[:at] + ("b" if value[at] == "a" else "a") + value[at + 1 :]
    verdict, rest = said(chrome, json.dumps(fields).encode(), tmp_path)
    assert verdict != "The proof holds.", rest


def test_what_is_no_proof_is_said(chrome: Chrome, tmp_path: Path) -> None:
    assert said(chrome, b"[]", tmp_path)[0].startswith("Not a proof")
    assert said(chrome, b"<b>no</b>", tmp_path)[0].startswith("Not a proof")
