"""newskeep.toml written: what is there stays byte for byte, and what is no configuration never gets there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from crawler.config import load
from crawler.config_file import add_site, new_file, write
from crawler.sites.site import RESERVED, load_sites, site_at
from crawler.sites.site_table import quoted, site_table, table_name
from storage.errors import ConfigError

TABLE = '[sites.example]\nstart = ["https://www.example.org/"]'
THERE = [
    "",
    "# only a comment",
    'archive = "a"   # mine\n\n[sites.other]   # and this\nstart = "https://other.example/"\n',
    '[sites.other]\nstart = "https://other.example/"',
    'sites.other.start = "https://other.example/"\n',
    "[sites]\n# none yet\n",
    'archive = "a"\r\n# Zürich\r\n',
]


@pytest.mark.parametrize("there", THERE)
def test_a_site_is_added_behind_what_is_there(tmp_path: Path, there: str) -> None:
    file = tmp_path / "newskeep.toml"
    file.write_bytes(there.encode())
    file.chmod(0o640)
    add_site(file, "example", TABLE)
    written = file.read_bytes().decode()
    assert written.startswith(there)
    ends = {line[len(line.rstrip("\r\n")) :] for line in written.splitlines(keepends=True)}
    assert len(ends) == 1, "line ends are not mixed"
    assert load_sites(load(file, {}))["example"].start == ("https://www.example.org/",)
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("there", ["sites = {}\n", f"{TABLE}\n", "sites = { other = {start = 'https://o.example/'} }"])
def test_what_cannot_be_added_leaves_the_file(tmp_path: Path, there: str) -> None:
    file = tmp_path / "newskeep.toml"
    file.write_text(there)
    with pytest.raises(ConfigError, match="nothing was added") as raised:
        add_site(file, "example", TABLE)
    assert str(file) in str(raised.value) and f".{file.name}." not in str(raised.value)
    assert file.read_text() == there
    assert list(tmp_path.iterdir()) == [file]


def test_a_mistake_in_another_table_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "newskeep.toml"
    file.write_text('[sites.other]\nevry = "1h"\n')
    add_site(file, "example", TABLE)
    assert load(file, {}).sites.keys() == {"other", "example"}


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("")
    (tmp_path / "newskeep.toml").symlink_to("real.toml")
    add_site(tmp_path / "newskeep.toml", "example", TABLE)
    assert (tmp_path / "newskeep.toml").is_symlink()
    assert "example" in (tmp_path / "real.toml").read_text()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        add_site(tmp_path / "none" / "newskeep.toml", "example", TABLE)


@pytest.mark.parametrize("archive", ["archive", "s3://bucket/news", "C:\\news", 'it\'s "here"', "Zürich/新聞", "a\\'b"])
def test_a_new_file_is_what_was_said(tmp_path: Path, archive: str) -> None:
    file = tmp_path / "newskeep.toml"
    write(file, new_file(archive, "bot@example.org", [TABLE]))
    config = load(file, {})
    assert (config.archive, config.operator, list(config.sites)) == (archive, "bot@example.org", ["example"])
    write(file, new_file(archive, None, []))
    assert (load(file, {}).operator, load(file, {}).sites) == (None, {})


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://www.example.org/", "example"),
        ("https://www.example.co.uk/", "example"),
        ("https://news.example.com.au/", "example"),
        ("https://co.uk/", "co"),
        ("https://example.org/world/europe/", "example-world-europe"),
        ("http://127.0.0.1:8080/", "127-0-0-1"),
        ("http://localhost:8080/", "localhost"),
        ("https://bücher.example/", "xn--bcher-kva"),
        ("https://urls.example/", "urls-example"),
    ],
)
def test_the_name_of_a_table(tmp_path: Path, address: str, name: str) -> None:
    site = site_at(address)
    assert table_name(site.name) == name
    assert name not in RESERVED
    add_site(tmp_path / "newskeep.toml", name, site_table(name, site))
    assert load_sites(load(tmp_path / "newskeep.toml", {}))[name].sources == site.sources


def test_names_that_are_taken() -> None:
    taken: list[str] = []
    for _ in range(12):
        taken.append(table_name("www.example.org", taken))
    assert taken[:3] == ["example", "example-org", "example-org-2"]
    assert len(set(taken)) == 12


@pytest.mark.parametrize("text", [r"/\d{4}/", "it's", r"\d'\"", "plain"])
def test_texts_are_quoted(text: str) -> None:
    assert tomllib.loads(f"a = {quoted(text)}") == {"a": text}
