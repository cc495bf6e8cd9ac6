"""What the tests have changed in every Python process, with this folder on PYTHONPATH: its clock, or where indexes are.

TESTS_DAYS_ON moves the wall clock (scripts/test-anywhere). The zone stays as it is. All processes have the same clock,
to microseconds. TESTS_POSTGRES puts indexes on a server (`pytest --index postgresql`): see placed_indexes.
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

if os.environ.get("TESTS_POSTGRES"):
    import placed_indexes

    placed_indexes.begin()
