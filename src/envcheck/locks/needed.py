"""A Lock and an interpreter into those of its packages and wheels that can be installed for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from envcheck.locks.markers import Markers, for_python
from envcheck.locks.select import chosen, index, select
from envcheck.locks.targets import Tags, accepted, fits
from envcheck.model.anchor import Needed
from envcheck.model.environment import Python
from envcheck.model.errors import UsageError
from envcheck.model.lock import Lock, LockedPackage


def needed(lock: Lock, python: Python) -> Needed:
    """What an installer may take from the lock, whatever extras and groups are asked for. Raises `UsageError`."""
    markers, accepting = for_python(python), accepted(python)
    if markers is None or not accepting:
        raise UsageError(
            f"--for: which wheels fit Python {python.version} on {python.platform or 'its platform'} is not known",
            "name it: --for 3.12-linux-x86_64-glibc2.36",
        )
    packages = frozenset((package.name, package.version) for package in _selected(lock, markers))
    tags = sorted({str(tag) for each in accepting for tag in each})
    return Needed(packages, tuple(tags), partial(_fits_any, accepting))


def _selected(lock: Lock, markers: Markers) -> Iterator[LockedPackage]:
    if not lock.selectable:
        yield from lock.packages
        return
    packages = index(lock)
    # With all extras and groups, and with none: a marker may ask for what is not chosen.
    for everything in (True, False):
        choice = chosen(lock, lock.roots, all_extras=everything, all_groups=everything)
        yield from select(lock, markers, choice, packages).packages


def _fits_any(accepting: Sequence[Tags], filename: str) -> bool:
    return any(fits(filename, one) for one in accepting)
