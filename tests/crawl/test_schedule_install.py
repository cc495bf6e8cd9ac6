"""`newskeep schedule install` and `remove` as a person types them, with a crontab of the test's own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from command import Run

#: Keeps the table in a file, as crontab(1) does for its user.
STAND_IN = """#!/bin/sh
case "$1" in
-l) cat "$TABLE" 2>&- || { echo "no crontab for $(id -un)" >&2; exit 1; };;
-r) rm "$TABLE";;
-) cat > "$TABLE.new" && mv "$TABLE.new" "$TABLE";;
esac
"""
OTHERS = b"MAILTO=me@example.org\n\n# \xe9t\xe9\n0 5 * * 1\ttar -zcf a.tgz /home  \n@reboot x % y\n"


@pytest.fixture
def table(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    """The file with the crontab; the commands of the test use it."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    assert isinstance(environment, dict)
    environment |= {"TABLE": str(tmp_path / "table"), "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    return tmp_path / "table"


def ok(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[bytes]:
    assert done.returncode == 0, done.stderr.decode()
    return done


def one_line(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    assert done.returncode == code, done.stderr.decode()
    (line,) = done.stderr.decode().splitlines()
    return line


def test_install_prints_writes_and_takes_its_own_away(newskeep: Run, table: Path, tmp_path: Path) -> None:
    table.write_bytes(OTHERS)
    planned = ok(newskeep("schedule", "install", "--dry-run")).stdout
    assert table.read_bytes() == OTHERS
    (tmp_path / "newskeep.toml").write_text('operator = "https://archive.example.org/bot"\n')
    done = ok(newskeep("schedule", "install", "--every", "30m", "--time-limit", "20m", "--at-once", "4"))
    assert table.read_bytes() == OTHERS + done.stdout
    assert b"next start 20" in done.stderr
    # Again, it is the same; in another way, it takes the place of the first.
    assert ok(newskeep("schedule", "install", "--every", "30m", "--time-limit", "20m", "--at-once", "4")).stdout
    assert table.read_bytes() == OTHERS + done.stdout
    (tmp_path / "newskeep.toml").unlink()
    ok(newskeep("schedule", "install"))
    assert table.read_bytes() == OTHERS + planned
    second = ok(newskeep("schedule", "install", "--archive", "second")).stdout
    assert table.read_bytes() == OTHERS + planned + second
    assert ok(newskeep("schedule", "remove", "--dry-run")).stdout == planned
    ok(newskeep("schedule", "remove"))
    assert table.read_bytes() == OTHERS + second
    ok(newskeep("schedule", "remove", "--archive", "second"))
    assert table.read_bytes() == OTHERS
    assert "nothing is scheduled" in one_line(newskeep("schedule", "remove"), 0)


def test_a_crontab_that_was_not_there_is_not_there_afterwards(newskeep: Run, table: Path) -> None:
    ok(newskeep("schedule", "install"))
    ok(newskeep("schedule", "remove"))
    assert not table.exists()


def test_the_line_needs_nothing_from_around(newskeep: Run, table: Path, tmp_path: Path) -> None:
    """Run as cron runs it: /bin/sh, a bare PATH, another folder and HOME."""
    (tmp_path / "my.toml").write_text('archive = "held"\nworkers = "none"\n')
    ok_or_config = newskeep("schedule", "install", "--config", "my.toml")
    assert "workers must be a whole number" in one_line(ok_or_config, 2)
    (tmp_path / "my.toml").write_text('archive = "held"\n')
    ok(newskeep("schedule", "install", "--config", "my.toml"))
    line = table.read_text().splitlines()[2]
    assert re.match(r"(\*|\d+-59)/5 \* \* \* \* cd ", line)
    command = line.split(" ", 5)[5].replace("\\%", "%")
    words = shlex.split(command)
    assert words[:3] == ["cd", str(tmp_path), "&&"]
    assert Path(words[3]).is_absolute()
    assert words[words.index("--archive") + 1] == str(tmp_path / "held")
    assert words[words.index("--config") + 1] == str(tmp_path / "my.toml")
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace(" due ", " due --help ")],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SHELL": "/bin/sh"},
        capture_output=True,
        check=False,
    )
    assert b"Usage: newskeep due" in ok(done).stdout


def test_variables_that_cron_will_not_have_are_named(
    newskeep: Run, table: Path, environment: Mapping[str, str]
) -> None:
    assert isinstance(environment, dict)
    environment |= {"NEWSKEEP_OPERATOR": "me@example.org", "NEWSKEEP_ARCHIVE": "held"}
    done = ok(newskeep("schedule", "install"))
    assert b"NEWSKEEP_OPERATOR: set here" in done.stderr
    assert b"me@example.org" not in table.read_bytes()
    assert b"/held\n" in table.read_bytes()


def test_a_bucket_keeps_its_state_folder(newskeep: Run, table: Path, tmp_path: Path) -> None:
    ok(newskeep("schedule", "install", "--archive", "s3://bucket/news"))
    text = table.read_text()
    assert text.startswith("# BEGIN newskeep s3://bucket/news\n")
    assert f"--archive s3://bucket/news --state {tmp_path}/state/newskeep/" in text


def test_what_goes_wrong_is_one_line(newskeep: Run, table: Path, environment: Mapping[str, str]) -> None:
    table.write_bytes(OTHERS)
    ok(newskeep("schedule", "install"))
    damaged = table.read_bytes().replace(b"# END", b"# The end of")
    table.write_bytes(damaged)
    for command in ("install", "remove"):
        assert "crontab -e" in one_line(newskeep("schedule", command), 1)
    assert table.read_bytes() == damaged
    assert "choose one of" in one_line(newskeep("schedule", "install", "--every", "7m"), 2)
    assert isinstance(environment, dict)
    environment["PATH"] = str(table.parent / "empty")
    assert "there is no crontab program here" in one_line(newskeep("schedule", "install", "--cron"), 1)
    assert "neither a crontab nor a systemctl" in one_line(newskeep("schedule", "install"), 1)


@pytest.fixture
def a_systemctl(tmp_path: Path, table: Path) -> Callable[[str], None]:
    """Put a systemctl in place that answers as the script says, and notes what it was asked."""

    def install(script: str) -> None:
        program = table.parent / "bin" / "systemctl"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n{script}\n')
        program.chmod(0o755)

    return install


def test_systemd(newskeep: Run, tmp_path: Path, a_systemctl: Callable[[str], None]) -> None:
    a_systemctl("exit 0")
    units = tmp_path / "home" / ".config" / "systemd" / "user"
    ok(newskeep("schedule", "install", "--systemd", "--dry-run"))
    assert not units.exists()
    done = ok(newskeep("schedule", "install", "--systemd", "--every", "2h"))
    service, timer = sorted(units.iterdir())
    assert [service.suffix, timer.suffix] == [".service", ".timer"]
    assert service.read_bytes() in done.stdout
    assert timer.read_bytes() in done.stdout
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [
        "--user daemon-reload",
        f"--user enable --now {timer.name}",
        f"--user restart {timer.name}",
    ]
    (units / "other.service").write_text("somebody's own")
    ok(newskeep("schedule", "install", "--systemd", "--archive", "second"))
    assert len(list(units.iterdir())) == 5
    ok(newskeep("schedule", "remove"))
    assert not service.exists()
    assert len(list(units.iterdir())) == 3
    assert f"--user disable --now {timer.name}" in (tmp_path / "asked").read_text()
    a_systemctl("echo 'Failed to connect to bus: No medium found' >&2; exit 1")
    line = one_line(newskeep("schedule", "install", "--systemd"), 1)
    assert "No medium found" in line
    assert f"enable --now {timer.name}" in line
    assert service.exists()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(newskeep: Run, tmp_path: Path, a_systemctl: Callable[[str], None]) -> None:
    a_systemctl("exit 0")
    ok(newskeep("schedule", "install", "--systemd", "--archive", "50% of 'it' & $HOME"))
    units = sorted((tmp_path / "home" / ".config" / "systemd" / "user").iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *map(str, units)],
        capture_output=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
