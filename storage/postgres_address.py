"""Where a database on a PostgreSQL server is: postgresql://USER@HOST/DATABASE, as libpq takes it.

Nothing here asks a server or needs its driver. No message shows an address that could not be read: a password may stand
anywhere in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from storage.errors import UsageError

#: What a session has its server set, so that it is given up, with all that it holds, soon after our machine is gone or
#: cut off: by itself a server waits for two hours. In seconds, the last in milliseconds; for TCP alone.
SESSION_SETTINGS = (
    "tcp_keepalives_idle = 15",
    "tcp_keepalives_interval = 5",
    "tcp_keepalives_count = 3",
    "tcp_user_timeout = 30000",
)

_SIGNS = r"[^\s/@?#\[\]:]"
_HOST = rf"(?:\[[0-9A-Fa-f:.%]+\]|{_SIGNS}*)(?::\d{{1,5}})?"
_OPTION = r"\w+=[^\s@#&]*"
_ADDRESS = re.compile(
    rf"postgres(?:ql)?://(?:(?P<user>{_SIGNS}*)(?::(?P<password>[^\s/@?#\[\]]*))?@)?"
    rf"(?P<host>{_HOST}(?:,{_HOST})*)(?:/(?P<database>[^\s/@?#]*))?(?:\?(?P<options>{_OPTION}(?:&{_OPTION})*&?)?)?"
)
# libpq shows the whole password that has such a sign in it.
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_SECRET_OPTION = re.compile(r"(?:^|&)\w*password=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """`uri` is for libpq alone, `shown` for people: without password and options."""

    uri: str = field(repr=False)
    shown: str
    has_password: bool

    @classmethod
    def parse(cls, text: str) -> PostgresAddress:
        """Raises `UsageError`."""
        found = _ADDRESS.fullmatch(text)
        if found is None or _BAD_ESCAPE.search(text):
            known = text.startswith(("postgresql://", "postgres://"))
            hint = "; in its user and password, other signs are written as %XX" if known else ""
            raise UsageError(f"an index on a server is given as postgresql://USER@HOST/DATABASE{hint}")
        user, database = found["user"], found["database"]
        shown = f"postgresql://{f'{user}@' if user else ''}{found['host']}{f'/{database}' if database else ''}"
        secret = found["password"] is not None or _SECRET_OPTION.search(found["options"] or "") is not None
        return cls(text, shown, secret)
