"""The command line: arguments, output, exit codes; everything it does is done below it.

Exit codes: 0 done; 1 the operation failed; 2 wrong usage or settings. A fault is one sentence on
standard error, never a traceback. Facts go to standard output, as text or, with ``--json``, as
JSON. What a command needs is imported when it runs, so that each starts fast and stays small.
"""

import bridge.cli.without_rich  # noqa: F401 - before everything else
from bridge.cli.program import main

__all__ = ["main"]
