"""Whether a Lock was made for an interpreter at all: its limits on Python and platform, and its entries' own."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.locks.markers import Markers
from envcheck.locks.versions import satisfies
from envcheck.model.lock import Lock, LockProblem

RULE = "lock-not-for-target"


def unfit(lock: Lock, markers: Markers) -> Iterator[LockProblem]:
    """Problems of a lock whose own installer would refuse this environment."""
    version = markers.values["python_full_version"]
    name = lock.path.rsplit("/", 1)[-1]
    if lock.requires_python is not None and not satisfies(version, lock.requires_python):
        message = f"{name} is for Python {lock.requires_python}, this is {version}"
        yield LockProblem(RULE, "requires-python", message)
    if lock.environments and not any(markers.hold(marker) for marker in lock.environments):
        yield LockProblem(RULE, "environments", f"{name} was not made for Python {version} on this platform")
    for package in lock.packages:
        wanted = package.requires_python
        if wanted is not None and not satisfies(version, wanted) and markers.hold(package.marker):
            message = f"{package.name} {package.version or ''} in {name} is for Python {wanted}, this is {version}"
            yield LockProblem(RULE, package.where, message, package.name)
