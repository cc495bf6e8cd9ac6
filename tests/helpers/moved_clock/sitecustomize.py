"""Moves the wall clock of a Python process; scripts/test-anywhere puts this folder on PYTHONPATH.

The zone stays as it is. All processes have the same clock, to microseconds.
"""

import os

if days := int(os.environ.get("TESTS_DAYS_ON", "0")):
    import time

    import time_machine

    ahead = days * 86400 * 10**9
    # It begins to tick at the first look at it, and between two looks this process may be put to sleep.
    traveller = time_machine.travel(time.time()).start()
    while abs(behind := time_machine.escape_hatch.time.time_ns() + ahead - time.time_ns()) > 10_000:
        traveller.shift(behind / 10**9)
