"""Lists of hosts that pages do not ask, as others write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.browser.blocklist import parse, read
from storage.errors import ConfigError

LIST = """
! Title: a list
[Adblock Plus 2.0]
# a comment
127.0.0.1 localhost
0.0.0.0 0.0.0.0
0.0.0.0 Ads.Example  # that one
::1 v6.example other.example
plain.example
||below.example^
||options.example^$third-party,script
@@||spared.below.example^
||deep.spared.below.example^
||path.example/ads/*
||wild*.example^
/banner/*/ads^
element.example##.advert
10.0.0.1
""".splitlines()


@pytest.mark.parametrize(
    ("host", "is_blocked"),
    [
        ("ads.example", True),
        ("ADS.example.", True),
        ("www.ads.example", False),
        ("v6.example", True),
        ("other.example", True),
        ("plain.example", True),
        ("www.plain.example", True),
        ("below.example", True),
        ("a.b.below.example", True),
        ("notbelow.example", False),
        ("options.example", True),
        ("spared.below.example", False),
        ("a.spared.below.example", False),
        ("deep.spared.below.example", True),
        ("path.example", False),
        ("wild.example", False),
        ("element.example", False),
        ("example", False),
        ("localhost", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_hosts(host: str, is_blocked: bool) -> None:
    assert parse(LIST).blocks(host) is is_blocked


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "blocklist: cannot read .*: No such file"), ("", "names no host"), ("##.advert\n||a/b^", "names no host")],
)
def test_one_line_for_a_list_that_is_none(tmp_path: Path, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / "list").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read(tmp_path / "list")
