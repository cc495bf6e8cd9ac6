"""The command line as a person runs it: what the fixture `newskeep` is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
