"""Text on its way to PostgreSQL."""

from __future__ import annotations

from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown

from storage.text import characters


class Characters(StrDumperUnknown):
    """A text as PostgreSQL takes it: a NUL and a lone surrogate, which it keeps in none, are U+FFFD.

    So they are in what is asked as well: what was entered with them is found with them.
    """

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(characters(obj).replace("\0", "\ufffd"))
