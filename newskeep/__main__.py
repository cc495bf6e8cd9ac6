"""`python -m newskeep`: the command line."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # `-m` looks in the current folder first; a crawler.py that lies there is not ours to run.
    if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
        del sys.path[0]
    from newskeep.cli import main

    main()
