"""The process that those of saves are forked from: `python -P -m newskeep.saving.zygote [SECONDS]`, from `process`.

After so many seconds in which nothing was saved it ends.
"""

from __future__ import annotations

import sys

from newskeep.forking.loaded import CRAWL
from newskeep.forking.zygote import Kind, main

#: As `ps -o comm` shows the process of a save.
SAVE_NAME = "newskeep-save"

if __name__ == "__main__":
    idle = float(sys.argv[1]) if len(sys.argv) > 1 else None
    # A program may wait for all of its children, and is to wait for no zygote.
    main(Kind((*CRAWL, "newskeep.saving.worker"), "newskeep.saving.worker", SAVE_NAME, is_detached=True), idle)
