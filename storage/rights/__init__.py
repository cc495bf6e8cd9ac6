"""What a publisher said of the use of a page: read from bytes that are in the archive, each signal with its source.

Pure and bounded: whatever a file or a head holds, nothing is raised, and no input takes more than one pass. `page`
reads answers, `robots_txt` and `tdmrep` the two files of a site, `purposes` says what follows from the signals.
"""

from storage.rights.signal import Signal

__all__ = ["Signal"]
