from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config import Config, load, variables_without_effect
from storage.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_without_a_file() -> None:
    assert load(environ={}) == Config()


def test_file_then_environment(folder: Path) -> None:
    (folder / "newskeep.toml").write_text('archive = "s3://a/b"\ntimeout = 5\nrobots = false\n')
    config = load(environ={"NEWSKEEP_ARCHIVE": "here", "NEWSKEEP_MAX_SIZE": "9"})
    assert (config.archive, config.timeout, config.robots, config.max_size) == ("here", 5.0, False, 9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("archive = 7", "archive must be a text"),
        ("timeout = true", "timeout must be a number"),
        ("max_size = -1", "max_size must not be negative"),
        # No pause would be as long as this one.
        ("delay = nan", "delay must be a number, not nan"),
        ("timeout = inf", "timeout must be a number, not inf"),
        ("archiv = 'x'", "unknown key 'archiv'; did you mean 'archive'"),
        ("archive = ", "newskeep.toml"),
    ],
)
def test_mistakes_in_the_file_are_named(folder: Path, text: str, message: str) -> None:
    (folder / "newskeep.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(environ={})


@pytest.mark.parametrize(
    ("name", "value"), [("NEWSKEEP_ROBOTS", "perhaps"), ("NEWSKEEP_TIMEOUT", "soon"), ("NEWSKEEP_WORKERS", "1.5")]
)
def test_mistakes_in_the_environment_are_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load(environ={name: value})


def test_files_as_windows_writes_them(folder: Path) -> None:
    file = folder / "newskeep.toml"
    file.write_bytes('\ufeffarchive = "Ærø"\r\ndelay = 2\r\n'.encode())
    assert (load().delay, Path(load().archive).name) == (2, "Ærø")
    file.write_bytes('delay = 2\r\narchive = "Ærø"\r\n'.encode("cp1252"))
    with pytest.raises(ConfigError, match=r"newskeep\.toml: is not UTF-8 \(at line 2\); save it as UTF-8"):
        load()


def test_file_that_is_asked_for_must_be_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.toml"):
        load(folder / "other.toml", environ={})


def test_the_file_that_the_variable_names(folder: Path) -> None:
    (folder / "mine.toml").write_text("timeout = 5\n")
    (folder / "given.toml").write_text("timeout = 6\n")
    environ = {"NEWSKEEP_CONFIG": "mine.toml"}
    assert load(environ=environ).timeout == 5
    assert load(Path("given.toml"), environ).timeout == 6
    with pytest.raises(ConfigError, match=r"cannot read none\.toml"):
        load(environ={"NEWSKEEP_CONFIG": "none.toml"})


def test_files_lie_beside_the_file_that_names_them(folder: Path) -> None:
    (folder / "etc").mkdir()
    path = folder / "etc" / "newskeep.toml"
    path.write_text('signing_key = "key.pem"\nca_file = "/trusted/roots.pem"\n')
    assert load(path, {}).signing_key == str(folder / "etc" / "key.pem")
    assert load(path, {}).ca_file == "/trusted/roots.pem"
    assert load(path, {"NEWSKEEP_SIGNING_KEY": "key.pem"}).signing_key == "key.pem"


def test_variables_that_configure_nothing() -> None:
    # Kubernetes sets these where a service is called newskeep.
    service = {
        "NEWSKEEP_SERVICE_HOST": "10.0.0.1",
        "NEWSKEEP_PORT": "tcp://10.0.0.1:80",
        "NEWSKEEP_PORT_80_TCP_ADDR": "10",
    }
    ours = {
        "NEWSKEEP_ARCHIVE": "here",
        "NEWSKEEP_CONFIG": "a.toml",
        "NEWSKEEP_WEB_TOKEN": "x",
        "NEWSKEEP_PYWB": "/pywb",
        "NEWSKEEP_S3_READ_TIMEOUT": "9",
        "NEWSKEEP_S3_ADDRESSING": "path",
    }
    wrong = {
        "NEWSKEEP_ARCHVE": "x",
        "NEWSKEEP_S3_VERFY": "stat",
        "NEWSKEEP_MAXSIZE": "9",
        "NEWSKEEP_COLOUR": "blue",
        "NEWSKEEP_EMPTY": "",
    }
    assert list(variables_without_effect({**service, **ours, **wrong, "HOME": "/"})) == [
        "the variable NEWSKEEP_ARCHVE has no effect; did you mean NEWSKEEP_ARCHIVE?",
        "the variable NEWSKEEP_COLOUR has no effect",
        "the variable NEWSKEEP_MAXSIZE has no effect; did you mean NEWSKEEP_MAX_SIZE?",
        "the variable NEWSKEEP_S3_VERFY has no effect; did you mean NEWSKEEP_S3_VERIFY?",
    ]
