"""Selected archives into those that were uploaded too lately for a cooldown of so many days.

The times are what the index said when somebody locked; who can edit the lock can edit them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

from envcheck.locks.targets import Tags, fits
from envcheck.model.lock import Artifact, Lock, LockedPackage, LockProblem

DAY = 86_400
LATE = 30
"""Days after a version's first archive from which on another one is an addition."""
RULE = "lock-too-new"


def too_new(
    lock: Lock, packages: Iterable[LockedPackage], targets: Sequence[Tags], days: int, now: float
) -> Iterator[LockProblem]:
    """Problems of the selected ``packages``, and one where there are no times; ``now`` is seconds since the epoch."""
    judged = unknown = 0
    for package in packages:
        if package.source_kind not in ("registry", "url", "path") or not package.artifacts:
            continue
        times = [(artifact, seconds(artifact.upload_time)) for artifact in package.artifacts]
        known = [(artifact, when) for artifact, when in times if when is not None]
        if not known:
            unknown += 1
            continue
        judged += 1
        shown = f"{package.name} {package.version or ''}".strip()
        usable = [(a, when) for a, when in known if _usable(a, targets)] or known
        newest, when = max(usable, key=lambda pair: pair[1])
        first = min(when for _, when in known)
        if now - when < days * DAY:
            age = max(int((now - when) // DAY), 0)
            message = f"{shown}: {newest.filename} was uploaded {age} days ago, within the cooldown of {days}"
            yield LockProblem(RULE, package.where, message, package.name)
        elif when - first > LATE * DAY:
            later = int((when - first) // DAY)
            message = f"{shown}: {newest.filename} was added {later} days after the version's first archive"
            yield LockProblem(RULE, package.where, message, package.name)
    if unknown and not judged:
        message = f"the age of no archive is known: this {lock.format} lock has no upload times"
        yield LockProblem(RULE, "", message)
    elif unknown:
        message = f"the age of {unknown} packages is not known: the lock has no upload times for them"
        yield LockProblem(RULE, "", message)
    if lock.format == "uv" and not lock.limited:
        yield LockProblem(RULE, "options", "it was made without exclude-newer: the next lock takes what is newest")


def _usable(artifact: Artifact, targets: Sequence[Tags]) -> bool:
    if artifact.kind != "wheel":
        return False
    return not targets or any(fits(artifact.filename or "", tags) for tags in targets)


def seconds(text: str | None) -> float | None:
    """ISO 8601, UTC where it says no zone, into seconds since the epoch; ``None`` where it is no time."""
    if text is None or len(text) > 64:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
