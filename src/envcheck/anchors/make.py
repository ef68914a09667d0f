"""A lock and places of wheels into an anchors file, or into what one lacks."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.anchors.checking import Checked, Checking, Task, mismatch, problems_of
from envcheck.anchors.committed import Committed, Line
from envcheck.anchors.locked import Locked, package_hashes, wanted
from envcheck.anchors.lookup import judge_lines
from envcheck.anchors.sources import Places, find
from envcheck.files.root import Files
from envcheck.model.anchor import AnchorProblem, Wanted
from envcheck.model.lock import Lock
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress


class Made(NamedTuple):
    """Lines for a lock, and what is to be said."""

    lines: tuple[Line, ...]
    kept: int
    """Lines of an earlier file that were taken over: their wheels are locked still, and not at hand."""
    missing: tuple[str, ...]
    """``NAME VERSION`` of locked packages that have wheels, of which none has a line."""
    without: int
    """Other locked wheels that have no line."""
    problems: tuple[AnchorProblem, ...]


def make(
    files: Files,
    lock: Lock,
    places: Places,
    earlier: Committed | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Made:
    """A line for each locked wheel that is at hand: all of its members are read. Raises `UsageError`."""
    locked = Locked(lock)
    checked, problems = _read(files, locked, places, workers, progress)
    lines: dict[tuple[str, str], Line] = {}
    lock_name = lock.path.rsplit("/", 1)[-1]
    for one in checked:
        if one.archive_hash is None:
            problems.append(mismatch(files, one.task, lock_name))
            continue
        if one.odd:
            problems += problems_of(files, one.task)
        if one.digests:
            filename = one.task.wanted.filename or one.task.held.path.rsplit("/", 1)[-1]
            lines.setdefault(one.archive_hash, Line(filename, *one.archive_hash, one.digests))
    kept = 0
    if earlier is not None:
        for line in earlier.lines:
            pair = (line.algorithm, line.hex)
            if pair not in lines and pair in locked.hashes(line.name, line.version):
                lines[pair] = line
                kept += 1
    found = tuple(sorted(lines.values()))
    missing, without = _missing(locked, found)
    return Made(found, kept, missing, without, tuple(problems))


def check(files: Files, lock: Lock, committed: Committed, places: Places, workers: int = 0) -> Made:
    """What an anchors file lacks, and what of it is not to be believed; wheels that the user names are compared."""
    locked = Locked(lock)
    problems = [*committed.problems, *judge_lines(locked, committed)]
    known = {(line.algorithm, line.hex): line for line in committed.lines}
    if places.wheels:
        checked, more = _read(files, locked, places, workers, None)
        problems += more
        lock_name = lock.path.rsplit("/", 1)[-1]
        for one in checked:
            line = known.get(one.archive_hash) if one.archive_hash is not None else None
            if one.archive_hash is None:
                problems.append(mismatch(files, one.task, lock_name))
            elif line is not None and set(line.digests) != set(one.digests):
                label = committed.path.rsplit("/", 1)[-1]
                message = f"{label}: {line.filename} has another digest than the wheel gives."
                problems.append(AnchorProblem("anchors-invalid", committed.path, message, line.name, line.number))
    missing, without = _missing(locked, committed.lines)
    return Made(committed.lines, 0, missing, without, tuple(problems))


def _read(
    files: Files, locked: Locked, places: Places, workers: int, progress: Progress | None
) -> tuple[list[Checked], list[AnchorProblem]]:
    looked_for = [
        one for package in locked.names() if package.version is not None for one in wanted(package, package.version)
    ]
    told: list[tuple[Wanted | None, str]] = []
    found = find(files, looked_for, places, progress, told)
    problems = [
        AnchorProblem("unanchored", "", f"{f'{one.name} {one.version}' if one else 'archives'}: {why}.", mild=True)
        for one, why in told
    ]
    tasks = [Task(one, held) for one, holders in found.items() for held in dict.fromkeys(holders)]
    checking = Checking(files, tasks, workers, thorough=True)
    try:
        return sorted(checking.take(), key=lambda one: one.task), problems
    finally:
        checking.stop()


def _missing(locked: Locked, lines: Sequence[Line]) -> tuple[tuple[str, ...], int]:
    """Packages without any line, and the number of other locked wheels without one."""
    known = {(line.algorithm, line.hex) for line in lines}
    packages: dict[str, bool] = {}
    without: set[tuple[str, str]] = set()
    for package in locked.names():
        hashes = set(package_hashes(package))
        if not hashes:
            continue
        label = f"{package.name} {package.version or package.specifier or ''}".rstrip()
        packages[label] = packages.get(label, False) or not known.isdisjoint(hashes)
        if not known.isdisjoint(hashes):
            without |= hashes - known
    return tuple(sorted(label for label, has in packages.items() if not has)), len(without)
