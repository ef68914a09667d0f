"""``envcheck`` and ``python -m envcheck``: go on in a clean process, then run the command.

This file is also run by its path, by an interpreter that was started with ``-I -S``: nothing can be imported then but
the standard library, and envcheck's own packages are added one by one (see ``cli/launch.py``).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command that ``sys.argv`` names, and exit with its code."""
    if not __package__:
        import os

        here = os.path.dirname(os.path.abspath(__file__))
        # Only to import the launcher by its package's name; it replaces this entry by exact packages.
        sys.path.insert(0, os.path.dirname(here))
    from envcheck.cli.launch import continue_clean

    if not __package__:
        del sys.path[0]
    continue_clean()
    import gc
    import os

    # A scan lives for a moment and makes few cycles: collecting, and taking the process apart at its end, would cost
    # a fifth of a light scan.
    gc.set_threshold(100_000)
    from envcheck.cli.main import main as run

    os._exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
