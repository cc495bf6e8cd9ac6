"""The names of months in the languages of news, in full and as they are abbreviated."""

from __future__ import annotations

from functools import lru_cache

# Beginnings, the longest counts. Missing is what means different months in different languages: "listopad" is November
# in Poland and October in Croatia.
_BEGINNINGS = {
    beginning: number
    for number, beginnings in enumerate(
        (
            "jan ene gen ian tammi sty led янв січ ιαν oca",
            "feb fev fév helmi lut úno фев лют φεβ şub",
            "mar mär maa mrt mär maalis bře мар бер μαρ μάρ",
            "apr avr abr huhti kwi dub апр кві απρ nis",
            "may mai mag maj mei maj touko kvě мая май тра μαι μάι",
            "jun juin giu iun kesä cze červn června июн чер ιουν ιούν haz",
            "jul juil lug iul heinä lipc lipiec července červenec июл лип ιουλ ιούλ tem",
            "aug aoû aou ago elo sie srpna srpen авг сер αυγ αύγ ağu agu",
            "sep set syys wrz zář сен вер σεπ eyl",
            "oct okt out ott loka paź říj окт жов οκτ eki",
            "nov marras ноя листопада noi νοε νοέ kas",
            "dec déc dez dic des joulu gru pros дек гру δεκ ara",
        ),
        start=1,
    )
    for beginning in beginnings.split()
}
_LONGEST = max(map(len, _BEGINNINGS))


@lru_cache(maxsize=512)
def month_of(name: str) -> int | None:
    """The number of a month, from 1, by its name or an abbreviation of three letters; `None` for other words."""
    name = name.lower().rstrip(".")
    lengths = range(min(len(name), _LONGEST), 2, -1)
    return next((_BEGINNINGS[name[:length]] for length in lengths if name[:length] in _BEGINNINGS), None)
