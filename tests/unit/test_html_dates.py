"""Dates as people write them, in many languages, and as programs do."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.html.dates import iso, printed
from crawler.html.month_names import month_of, order_of

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("18 ноября 2026, 14:05", "ru", "2026-11-18T14:05:00"),
        ("18 ноября 2026 года в 14:05 мск", "ru", "2026-11-18T14:05:00+03:00"),
        ("18 листопада 2026, 14:05", "uk", "2026-11-18T14:05:00"),
        ("18 listopada 2026, 14:05", "pl", "2026-11-18T14:05:00"),
        ("18. listopada 2025.", "hr", "2025-10-18"),
        ("18. listopadu 2026 14:05", "cs", "2026-11-18T14:05:00"),
        ("18. studenoga 2026. u 14:05", "hr", "2026-11-18T14:05:00"),
        ("18 ΝΟΕ 2026, 2:05 μ.μ.", "el", "2026-11-18T14:05:00"),
        ("18 Νοεμβρίου 2026", "el", "2026-11-18"),
        ("18 Kasım 2026 Çarşamba 14:05", "tr", "2026-11-18T14:05:00"),
        ("18 KASIM 2026", "tr", "2026-11-18"),
        ("2026. november 18., szerda 14:05", "hu", "2026-11-18T14:05:00"),
        ("2026. november 18. 14:05", "hu", "2026-11-18T14:05:00"),
        ("掲載日：2026/11/18", "ja", "2026-11-18"),
        ("2026 m. lapkričio 18 d. 14:05", "lt", "2026-11-18T14:05:00"),
        ("18 נובמבר 2026", "he", "2026-11-18"),
        ("18 בנובמבר 2026 בשעה 14:05", "he", "2026-11-18T14:05:00"),
        ("18 نوفمبر 2026", "ar", "2026-11-18"),
        ("١٨ تشرين الثاني ٢٠٢٦", "ar", "2026-11-18"),
        ("\u200f18\u200f/11\u200f/2026", "ar", "2026-11-18"),
        ("18 नवंबर 2026", "hi", "2026-11-18"),
        ("18 พ.ย. 2569", "th", "2026-11-18"),
        ("Thứ tư, 18/11/2026, 14:05 (GMT+7)", "vi", "2026-11-18T14:05:00+07:00"),
        ("18 tháng 11 năm 2026", "vi", "2026-11-18"),
        ("2026年11月18日（水） 14時05分", "ja", "2026-11-18T14:05:00"),
        ("2026年11月18日 星期三 下午2:05", "zh", "2026-11-18T14:05:00"),
        ("2026年11月18日 14:05 CST", "zh-CN", "2026-11-18T14:05:00+08:00"),
        ("2026. 11. 18. 오후 2:05", "ko", "2026-11-18T14:05:00"),
        ("18 novembre 2026 à 14h05", "fr", "2026-11-18T14:05:00"),
        ("1er novembre 2026 à 14 h", "fr", "2026-11-01T14:00:00"),
        ("1º de novembro de 2026 às 14h05", "pt", "2026-11-01T14:05:00"),
        ("18 de noviembre del 2026, 2:05 p. m.", "es", "2026-11-18T14:05:00"),
        ("18. marraskuuta 2026 klo 14.05", "fi", "2026-11-18T14:05:00"),
        ("18. Jänner 2026, 14.05 Uhr MEZ", "de-AT", "2026-01-18T14:05:00+01:00"),
        ("Nov. 18, 2026 at 2:05 p.m. ET", "en", "2026-11-18T14:05:00-05:00"),
        ("2:05 PM PT, July 18, 2026", "en", "2026-07-18T14:05:00-07:00"),
        ("18th of November, 2026", "en", "2026-11-18"),
        ("Sept. 18, 2026", "en", "2026-09-18"),
        ("18.11.26, 14:05", "de", "2026-11-18T14:05:00"),
        ("26/11/18", "ja", "2026-11-18"),
        ("20261118140509", "", "2026-11-18T14:05:09"),
        ("1795010709", "", "2026-11-18T14:05:09+00:00"),
        ("1795010709000", "", "2026-11-18T14:05:09+00:00"),
        # The same letters in another country; letters that are no known zone's.
        ("18 Nov 2026 14:05 IST", "en-IN", "2026-11-18T14:05:00+05:30"),
        ("18 Nov 2026 14:05 IST", "en-IE", "2026-11-18T14:05:00+01:00"),
        ("18 Nov 2026 14:05 QXT", "en", "2026-11-18"),
        ("18 Nov 2026 14:05+19:00", "en", "2026-11-18"),
        # Of two readings that of the language, unless it cannot be.
        ("03/11/2026", "en-GB", "2026-11-03"),
        ("03/11/2026", "en-US", "2026-03-11"),
        ("03/11/2026", "fr", "2026-11-03"),
        ("03/11/2026 2:05 PM", "", "2026-03-11T14:05:00"),
        ("12/11/2026", "en-US", "2026-11-12"),
        ("18/11/2026", "en-US", "2026-11-18"),
        ("03.11.2026", "en-US", "2026-11-03"),
        # In the future, relative, without a year, no date.
        ("1 December 2026", "en", None),
        ("vor 3 Stunden", "de", None),
        ("3 hours ago", "en", None),
        ("18 November", "en", None),
        ("November 2026", "en", None),
        ("31 November 2026", "en", None),
        ("18 people 2026", "en", None),
        ("3 comments November 2026", "en", None),
        ("192.168.10.26", "en", None),
        ("+45 18 11 20 26", "da", None),
        ("14:05 - 15:10", "en", None),
    ],
)
def test_a_date_as_it_is_written(text: str, locale: str, value: str | None) -> None:
    assert iso(text, NOW, locale) == value


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("By Ann Berg | Nov 18, 2026 | 5 min read", ["2026-11-18"]),
        ("Published 18 Nov 2026 14:05, updated 19 Nov 2026 15:10", ["2026-11-18T14:05:00", "2026-11-19T15:10:00"]),
        # The clock is that of the change.
        ("Published 18 November 2026, updated 14:05", ["2026-11-18"]),
        ("14:05 | 18.11.2026", ["2026-11-18T14:05:00"]),
        ("18 Nov 2026", ["2026-11-18"]),
        ("18Nov2026", ["2026-11-18"]),
        ("Nov 18 2026", ["2026-11-18"]),
        ("18.11.2026 19.11.2026", ["2026-11-18", "2026-11-19"]),
        ("Reading time 3 minutes", []),
    ],
)
def test_dates_in_a_line(line: str, values: list[str]) -> None:
    assert [each.value for each in printed(line, NOW, "en")] == values


def test_what_stands_around_a_date_is_told() -> None:
    first, second = printed("Published 18 Nov 2026 14:05 CET. Updated: 19 Nov 2026 by Ann", NOW, "en")
    assert (first.before, second.before, second.after) == ("Published ", ". Updated: ", " by Ann")


def test_a_month_by_its_name_a_beginning_and_another_language() -> None:
    assert [month_of(name, "de") for name in ("Dezember", "DEZ.", "dezem", "December", "Dienstag")] == [
        *(12, 12, 12, 12),
        None,
    ]
    # July in French, June in none; "ju" is two months.
    assert (month_of("juil", "fr"), month_of("ju", "fr")) == (7, None)
    assert (order_of("en-AU"), order_of("en"), order_of("tlh")) == ("dmy", "mdy", None)


def test_the_table_is_what_cldr_says() -> None:
    script = ROOT / "scripts" / "cldr-dates"
    subprocess.run([sys.executable, str(script), "--check"], check=True, timeout=240)
