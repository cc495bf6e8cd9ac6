"""Catalogs of messages, read from their sources.

There are no compiled ones (.mo): a file that is made of another one can be older than it, or missing from a wheel, an
sdist or an editable installation, each of which builds in its own way. A .po is compiled here, once a process.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "catalogs"


@cache
def catalog(locale: str) -> NullTranslations:
    """The messages of a locale; English, of which all are made, has no catalog.

    A message that is fuzzy counts as not translated.
    """
    source = FOLDER / f"{locale}.po"
    if not source.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale))
    compiled.seek(0)
    return GNUTranslations(compiled)
