"""`python -m newskeep`: the command line."""

from newskeep import _packages

if __name__ == "__main__":
    # `-m` looks in the current folder first; a crawler.py that lies there is not ours to run.
    _packages.leave_current_folder()
    from newskeep.cli import main

    main()
