"""Times envcheck beside yardsticks that are named, in one run.

(a) a full scan, as a user types it, of some 380 distributions (an environment of the corpus), over a bare ``os.read``
and ``hashlib`` loop on the files that RECORDs hash, with ``sha256sum --check`` beside it; the memory that it takes;
(b) a startup-only scan over ``fetter inspect``, which starts the environment's own interpreter: as a clean process that
is started directly, where sources run; the same where bytecode runs in their place, which is then compiled again to
prove it; and as the command, which is two processes;
(c) what the plan of a hundred startup files adds to a startup-only scan, over what they add to the interpreter's start;
(d) what accounts of startup code add to a full scan of (a) without its lock;
(e) growth with the number of files.

Subjects take turns, so that what else the machine does falls on all; figures are the least that each took. The caches
of the file system are warm. Run by ``make bench``; it judges nothing, and exits with 0 unless something does not work.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from full import accounts, full_scan, growth
from light import startup_scan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", help="the environment of (a)")
    parser.add_argument("small", help="the environment of (b)")
    parser.add_argument("--tool", required=True, metavar="VENV", help="the environment that envcheck is installed in")
    parser.add_argument("--fetter", required=True, metavar="FILE", help="the fetter command")
    parser.add_argument("--lock", metavar="FILE", help="the lock of (a)")
    parser.add_argument("--full", type=int, default=7, metavar="N", help="repeats of (a)")
    parser.add_argument("--startup", type=int, default=25, metavar="N", help="repeats of (b) and (c)")
    parser.add_argument(
        "--growth", type=int, nargs="*", default=[1_000, 5_000, 20_000, 50_000], metavar="FILES", help="sizes of (e)"
    )
    options = parser.parse_args()
    whole, small, tool = map(os.path.abspath, (options.whole, options.small, options.tool))
    command = [os.path.join(tool, "bin", "envcheck"), "scan"]
    package = only(os.path.join(tool, "lib", "python3*", "site-packages", "envcheck", "__main__.py"))
    full_scan(command, whole, os.path.abspath(options.lock) if options.lock else None, options.full)
    print()
    startup_scan(command, [sys.executable, "-I", "-S", package, "scan"], options.fetter, small, options.startup)
    print()
    accounts(os.path.dirname(os.path.dirname(package)), whole, options.full)
    print()
    growth(command, options.growth)


def only(pattern: str) -> str:
    """The one path that a pattern stands for."""
    found = glob.glob(pattern)
    if len(found) != 1:
        sys.exit(f"{pattern}: {len(found)} files instead of one")
    return found[0]


if __name__ == "__main__":
    main()
