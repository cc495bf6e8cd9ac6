"""The days that addresses name, in the forms of real sites; numbers that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.discovery.url_dates import dates_in_address

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "path",
    [
        *("/2026/11/18/bridge-opens", "/news/2026/11/18", "/2026/11/18.html", "/a/2026-11/18/c_112.htm"),
        *("/2026-11-18-bridge-opens", "/news/2026-11-18/bridge.html"),
        *("/2026_11_18/bridge", "/gn/2026/11-18/1012.shtml"),
        *("/uk/2026/nov/18/bridge", "/2026/November/18/bridge"),
        *("/2026-nov-18-bridge", "/26_novembre_18/il-ponte_1.shtml"),
        *("/n1/2026/1118/c1001-4.html", "/202611/18/bridge.html", "/xw/202611/t20261118_512.html"),
        *("/18-11-2026-bridge", "/18/11/2026/bridge"),
        *("/11/18/2026/bridge", "/18-nov-2026/bridge", "/bridge-18-11-2026.html"),
        *("/20261118/bridge", "/20261118-bridge"),
        *("/view/AKR20261118000300", "/20261118104512.html", "/en/202611184254562329.html"),
        *("/world/bridge-opens-2026-11-18/", "/bridge-20261118.html", "/bridge_20261118_ABC2/"),
        *("/bridge-20261118104512-nt.html", "/jc/article?k=2026111800123&g=pol"),
        *("/news.php?id=7&date=2026-11-18", "/2026%2F11%2F18/bridge"),
    ],
)  # fmt: skip
def test_a_day(path: str) -> None:
    (span,) = dates_in_address(f"https://town.example{path}", NOW)
    assert (span.start, span.end) == (DAY, DAY + timedelta(days=1))


@pytest.mark.parametrize(
    "path",
    ["/2026/11/bridge", "/2026/11/5-things-to-know", "/2026-11/x", "/2026/nov/x", "/m/2026-11.html", "/2026/11/31/x"],
)
def test_a_month(path: str) -> None:
    (span,) = dates_in_address(f"https://town.example{path}", NOW)
    assert (span.start, span.end) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/2026/", "/2026/bridge", "/bridge-2026", "/art/20261399/x", "/20269999", "/2026/13/45/x"),
        *("/2026/12/24/later", "/1945/05/08/war"),
        *("/story-120261118", "/202611181", "/what-happened-on-2026-11-18-in-town"),
        *("/art/271118/bridge", "/2026/marketing/x", "/a?id=20261118", "/live/12345678", "//[", "/x" * 3000),
    ],
)  # fmt: skip
def test_none(path: str) -> None:
    assert dates_in_address(f"https://town.example{path}", NOW) == ()


def test_which_number_is_the_month() -> None:
    starts = [span.start for span in dates_in_address("https://town.example/03-11-2026/bridge", NOW)]
    assert starts == [datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC)]


def test_the_path_goes_before_the_headline() -> None:
    (span,) = dates_in_address("https://town.example/2026/11/18/a-look-back-at-2024-05-01", NOW)
    assert span.start == DAY
