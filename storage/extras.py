"""How what was left out at the installation is added."""

from __future__ import annotations

import shlex
import sys


def command_for(extra: str) -> str:
    """Return the command that adds an extra to this installation, wherever it came from.

    The pip of this very Python, which sees that newskeep is there and fetches what the extra needs alone.
    """
    return f"{shlex.quote(sys.executable)} -m pip install 'newskeep[{extra}]'"
