"""Secrets of the configuration: written there, in an environment variable, or in a file. Never printed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.errors import ConfigError

_HOW = 'a text, { variable = "NAME" } or { file = "PATH" }'


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and where it comes from. `repr` says only the latter."""

    #: The key of the configuration, for messages.
    name: str
    text: str | None = field(default=None, repr=False)
    variable: str | None = None
    file: Path | None = None

    @classmethod
    def of(cls, name: str, value: Any, folder: Path) -> Secret:
        """Take a value of the configuration; a file's path is relative to `folder`. Raises `ConfigError`."""
        if isinstance(value, str) and value:
            return cls(name, text=value)
        if isinstance(value, dict) and len(value) == 1:
            (kind, place), *_ = value.items()
            if kind in {"variable", "file"} and isinstance(place, str) and place:
                return cls(name, variable=place) if kind == "variable" else cls(name, file=folder / place)
        # The value itself may be the secret.
        raise ConfigError(f"{name} must be {_HOW}")

    def read(self, environ: Mapping[str, str] = os.environ) -> str:
        """Return the secret, of a file its text without the space around it. Raises `ConfigError`."""
        if self.text is not None:
            return self.text
        if self.variable is not None:
            if found := environ.get(self.variable):
                return found
            raise ConfigError(f"{self.name}: the variable {self.variable} is not set")
        assert self.file is not None
        try:
            found = self.file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"{self.name}: cannot read {self.file}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ConfigError(f"{self.name}: {self.file} is no text") from None
        if not found:
            raise ConfigError(f"{self.name}: {self.file} is empty")
        return found
