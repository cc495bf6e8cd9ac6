"""What PostgreSQL's failures mean to a person."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError

from storage.database import Kind
from storage.errors import ConfigError, Corrupt, NewskeepError, StoreDenied, StoreUnavailable

_AUTHENTICATION = re.compile(r"password authentication failed|no password supplied|authentication failed")
_NO_ENTRY = re.compile(r"pg_hba\.conf")
_NO_DATABASE = re.compile(r'database "(.*)" does not exist')
# "sorry, too many clients already", "remaining connection slots are reserved for roles …", "too many connections for
# role …"; the last is PgBouncer's.
_FULL = re.compile(r"too many (?:clients|connections)|remaining connection slots|no more connections allowed")
_NO_ROLE = re.compile(r'role "(.*)" does not exist')
# What libpq, psycopg and a new session say of a parameter of an address; none of them shows a password.
_PARAMETER = re.compile(
    r"""
    ( invalid[ ](?: (?:\w+|"\w+")[ ]value | (?:port|integer)[ ](?:number|value) | URI[ ]query[ ]parameter
                  | connection[ ]option | value[ ]for[ ]parameter | command-line[ ]argument )
    | bad[ ]value[ ]for
    | could[ ]not[ ](?: match | parse[ ]network[ ]address )
    | definition[ ]of[ ]service
    | unrecognized[ ]configuration[ ]parameter
    | parameter[ ]"\w+"[ ](?: requires | cannot[ ]be )
    )\b.*
    """,
    re.VERBOSE,
)


def explain(name: str, kind: Kind, error: Exception, lock_wait: float) -> NewskeepError:
    """Return the error that tells a person what an error of the driver means.

    `name`: the database as it may be shown. `lock_wait`: seconds that a writer waits for others.
    """
    bare = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = _line(bare)
    state = getattr(bare, "sqlstate", None) or ""
    if not state:
        return _unreachable(name, said)
    if state == "55P03":
        return StoreUnavailable(f"{name}: others have kept the {kind.noun} busy for {lock_wait:g} s; try again")
    if state.startswith("23"):
        return Corrupt(f"{name}: two rows claim one place ({said})")
    if state in {"42P01", "42703", "3F000", "42883"}:
        return StoreUnavailable(f"{name}: the {kind.noun} has not the tables it should ({said}); {kind.again}")
    if state == "42501":
        return StoreDenied(f"{name}: the user may not do this ({said})")
    if state.startswith("XX"):
        return StoreUnavailable(f"{name}: the {kind.noun} is damaged ({said}); {kind.again}")
    if state.startswith(("57P", "08")):
        return StoreUnavailable(f"{name}: the server ended the connection ({said}); try again")
    return StoreUnavailable(f"{name}: the {kind.noun} cannot be read or written ({said})")


def mistaken(name: str, said: str) -> ConfigError | None:
    """Return what is wrong with the parameters of an address, where that is what was `said` when nothing connected."""
    found = _PARAMETER.search(said)
    return ConfigError(f"{name}: its address has a wrong parameter: {found[0]}") if found else None


def _unreachable(name: str, said: str) -> NewskeepError:
    """Of a connection that was not made, or lost, the driver has words alone."""
    if mistake := mistaken(name, said):
        return mistake
    if found := _NO_DATABASE.search(said):
        return StoreUnavailable(f"{name}: there is no database {found[1]}; make it: createdb {found[1]}")
    if found := _NO_ROLE.search(said):
        return StoreDenied(f"{name}: the server has no user {found[1]}")
    if _AUTHENTICATION.search(said):
        return StoreDenied(f"{name}: {said}; the password is taken from the address or PGPASSFILE")
    if _NO_ENTRY.search(said):
        return StoreDenied(f"{name}: {said}")
    if _FULL.search(said):
        return StoreUnavailable(f"{name}: the server has no connection left ({said}); try again, or allow it more")
    return StoreUnavailable(f"{name}: the server cannot be reached ({said})")


def _line(error: BaseException) -> str:
    """The first line of what the server or libpq says, without what comes before its own words."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^connection failed: |(?:FATAL|ERROR): +", "", lines[0]).strip().rstrip(".")
