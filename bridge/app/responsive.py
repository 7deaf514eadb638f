"""What keeps one long piece of work from being felt by everybody else in the process."""

from __future__ import annotations

import gc
import sys

TURN_S = 0.001
"""How long a thread may compute while the event loop waits for its turn; Python's own is 5 ms.

The loop waits so long each time it let go of the interpreter: at every row that the store reads. A
third of it would halve those waits, and nearly double what a FETCH of all headers takes.
"""

YOUNG_OBJECTS, MIDDLE_ROUNDS, OLD_ROUNDS = 10_000, 4, 100
"""When to look for garbage in cycles.

Python's own 700 would start it many times while 10,000 messages are sorted. And all that is found
at once is freed in one step, which holds the interpreter: for 10,000 objects some milliseconds, and
for the 40,000 of some rounds 20.
"""


def keep_responsive() -> None:
    """Give threads short turns, and look for garbage seldom and not among what stays for ever.

    To be called once, when everything has been imported.
    """
    sys.setswitchinterval(TURN_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_ROUNDS, OLD_ROUNDS)
