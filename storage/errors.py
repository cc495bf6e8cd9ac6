"""Everything that can go wrong, as one small tree; `exit_code` is what the command line ends with.

NewskeepError                      1  a fault of ours
├── UsageError                     2  an option, argument or input file is wrong
│   ├── ConfigError                2  newskeep.toml or an environment variable is wrong
│   └── InvalidURL                 2  not an address we can fetch
├── StoreUnavailable               3  the object store or the index cannot be reached or refuses us
│   ├── StoreDenied                3  credentials, clock or permission
│   └── SpoolError                 3  the local spool cannot be written
├── ObjectMissing                  6  no object has this key
├── ObjectExists                   1  an object with this key and other content is there
├── Corrupt                        1  stored bytes are not what was written
├── NotArchived                    6  the archive holds no such capture
└── AlreadyRunning                75  another process holds the lock

Work that came to its end and found something wrong on the way raises nothing: it tells each such thing as a
`storage.problems.Problem`, and ends with `PROBLEMS_FOUND`.
"""

from __future__ import annotations

#: The exit code of what was done, but problems were found and told; 1 would say that we are at fault.
PROBLEMS_FOUND = 7


class NewskeepError(Exception):
    """Base of all errors the project raises on purpose; the message is one line for a person."""

    exit_code = 1


class UsageError(NewskeepError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class InvalidURL(UsageError):
    """`url` as it may be shown, without what could be a password; `reason` alone is for an outcome."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


class StoreUnavailable(NewskeepError):
    exit_code = 3


class StoreDenied(StoreUnavailable):
    pass


class SpoolError(StoreUnavailable):
    pass


class ObjectMissing(NewskeepError):
    exit_code = 6


class ObjectExists(NewskeepError):
    pass


class Corrupt(NewskeepError):
    pass


class NotArchived(NewskeepError):
    exit_code = 6


class AlreadyRunning(NewskeepError):
    exit_code = 75
