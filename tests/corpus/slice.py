"""Downloads the few wheels of the corpus that `make test` installs, where that can be done; else says why not.

    PYTHONPATH=tests python -m corpus.slice

What is there is left alone and not mentioned.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys

from corpus.makers import SMALL
from corpus.startup import HOUSE
from corpus.startup import LOCK as STARTUP_LOCK
from corpus.startup import SLICE as STARTUP_NAMES
from corpus.wheelhouse import FOLDER, OLD_PIP, Wheelhouse, part_of_lock

SLICE = FOLDER.with_name("slice")
"""A wheelhouse that has what `SMALL` needs, and both pips."""


def nearest() -> Wheelhouse:
    """The whole wheelhouse where it is complete, else the slice."""
    whole = Wheelhouse(FOLDER)
    return whole if whole.complete else Wheelhouse(SLICE)


def nearest_startup() -> Wheelhouse:
    """The wheels with startup files: all of them, or those of the slice."""
    whole = Wheelhouse(HOUSE)
    return whole if whole.complete else Wheelhouse(SLICE / "startup")


def download() -> str | None:
    """Fill the slice; why it could not be, or nothing."""
    wanted = part_of_lock([*SMALL, "pip"])
    startup = part_of_lock(STARTUP_NAMES, STARTUP_LOCK)
    digest = hashlib.sha256((wanted + startup).encode() + OLD_PIP.read_bytes()).hexdigest()
    complete = SLICE / "complete"
    if complete.exists() and complete.read_text() == digest:
        return None
    SLICE.mkdir(parents=True, exist_ok=True)
    (SLICE / "lock.txt").write_text(wanted)
    (SLICE / "startup.txt").write_text(startup)
    places = ((SLICE / "lock.txt", SLICE), (OLD_PIP, SLICE / "old"), (SLICE / "startup.txt", SLICE / "startup"))
    for lock, folder in places:
        command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "-qq"]
        command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder)]
        done = subprocess.run([*command, "--requirement", str(lock)], capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
    (SLICE / "startup" / "complete").touch()
    complete.write_text(digest)
    return None


if __name__ == "__main__":
    if not nearest().complete or SLICE in (nearest().folder, nearest_startup().folder.parent):
        why = download()
        if why is not None:
            print(f"NO WHEELS OF THE CORPUS, its tests are skipped: {why}", file=sys.stderr)
