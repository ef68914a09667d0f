"""A lock and places of wheels into an anchors file, or into what one lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from envcheck.anchors.checking import Checked, Checking, Task, mismatch, problems_of
from envcheck.anchors.committed import Committed, Line, is_wheel
from envcheck.anchors.locked import Locked, package_hashes, wanted, wheels
from envcheck.anchors.lookup import judge_lines
from envcheck.anchors.sources import Places, find
from envcheck.anchors.sources.index import NOT_THERE
from envcheck.files.root import Files
from envcheck.model.anchor import AnchorProblem, Needed, Wanted
from envcheck.model.lock import Lock, LockedPackage
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
    needed: Sequence[Needed] = (),
    announce: Callable[[Sequence[Wanted]], None] | None = None,
) -> Made:
    """A line for each locked wheel that is at hand, or fetched: all of its members are read. Raises `UsageError`.

    ``needed`` limits what is fetched, and missed. ``announce`` is told what is about to be fetched.
    """
    locked = Locked(lock)
    checked, problems = _read(files, locked, places, workers, progress)
    if places.fetch:
        rest = _not_at_hand(locked, checked, needed)
        if announce is not None and rest:
            announce(rest)
        # What is at hand was found before.
        network = places._replace(wheels=(), caches=False)
        at_hand = {(one.task.wanted.name, one.task.wanted.version) for one in checked if one.archive_hash is not None}
        fetched, more = _check(files, rest, network, workers, progress, at_hand)
        checked, problems = [*checked, *fetched], [*problems, *more]
    lines: dict[tuple[str, str], Line] = {}
    lock_name = lock.path.rsplit("/", 1)[-1]
    for one in checked:
        if one.archive_hash is None:
            if one.task.held.origin == "wheels":
                # A cache has more under one name than the locked wheel: Poetry keeps what it built there.
                problems.append(mismatch(files, one.task, lock_name))
            continue
        if one.odd:
            problems += problems_of(files, one.task)
        if one.digests and is_wheel(one.filename):
            lines.setdefault(one.archive_hash, Line(one.filename, *one.archive_hash, one.digests))
        elif one.digests:
            message = f"{one.task.held.path} has no tags, and nothing gives it a wheel's file name: it gets no line."
            problems.append(AnchorProblem("unanchored", one.task.held.path, message, one.task.wanted.name, mild=True))
    kept = 0
    if earlier is not None:
        for line in earlier.lines:
            pair = (line.algorithm, line.hex)
            if pair not in lines and pair in locked.hashes(line.name, line.version):
                lines[pair] = line
                kept += 1
    found = tuple(sorted(lines.values()))
    missing, without = _missing(locked, found, needed)
    return Made(found, kept, missing, without, tuple(problems))


def check(
    files: Files, lock: Lock, committed: Committed, places: Places, workers: int = 0, needed: Sequence[Needed] = ()
) -> Made:
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
                if one.task.held.origin == "wheels":
                    problems.append(mismatch(files, one.task, lock_name))
            elif line is not None and set(line.digests) != set(one.digests):
                label = committed.path.rsplit("/", 1)[-1]
                message = f"{label}: {line.filename} has another digest than the wheel gives."
                problems.append(AnchorProblem("anchors-invalid", committed.path, message, line.name, line.number))
    missing, without = _missing(locked, committed.lines, needed)
    return Made(committed.lines, 0, missing, without, tuple(problems))


def _read(
    files: Files, locked: Locked, places: Places, workers: int, progress: Progress | None
) -> tuple[list[Checked], list[AnchorProblem]]:
    """What is at hand."""
    looked_for = [
        one for package in locked.names() if package.version is not None for one in wanted(package, package.version)
    ]
    return _check(files, looked_for, places._replace(fetch=False), workers, progress)


def _check(
    files: Files,
    looked_for: Sequence[Wanted],
    places: Places,
    workers: int,
    progress: Progress | None,
    at_hand: Collection[tuple[str, str]] = (),
) -> tuple[list[Checked], list[AnchorProblem]]:
    told: list[tuple[Wanted | None, str]] = []
    found = find(files, looked_for, places, progress, told)
    problems = [
        AnchorProblem("unanchored", "", f"{f'{one.name} {one.version}' if one else 'archives'}: {why}.", mild=True)
        for one, why in told
        if not _useless((one, why), at_hand)
    ]
    tasks = [Task(one, held) for one, holders in found.items() for held in dict.fromkeys(holders)]
    checking = Checking(files, tasks, workers, thorough=True)
    try:
        return sorted(checking.take(), key=lambda one: one.task), problems
    finally:
        checking.stop()


def _not_at_hand(locked: Locked, checked: Sequence[Checked], needed: Sequence[Needed]) -> list[Wanted]:
    """What to fetch. A file that the user has under the right name is not fetched, whatever its hash is."""
    known = {one.archive_hash: one.filename for one in checked if one.archive_hash is not None}
    named = {one.task.wanted for one in checked if one.task.held.origin == "wheels"}
    found = []
    for package in locked.names():
        places = _places(package, needed)
        if package.version is None or (needed and not places):
            continue
        for one in wanted(package, package.version):
            rest = tuple(pair for pair in one.hashes if pair not in known)
            if one.filename is not None:
                if rest == one.hashes and one not in named and (not places or _fits(one.filename, places)):
                    found.append(one)
                continue
            at_hand = [known[pair] for pair in one.hashes if pair in known]
            open_yet = [place for place in places if not any(map(place.fits, at_hand))]
            if rest and (open_yet or not places):
                tags = tuple(sorted({tag for place in open_yet for tag in place.tags}))
                found.append(one._replace(hashes=rest, tags=tags, every=True))
    return found


def _useless(told: tuple[Wanted | None, str], at_hand: Collection[tuple[str, str]]) -> bool:
    """Hashes that are left where a wheel is at hand are those of source archives: no index has a wheel for them."""
    wanted, why = told
    return wanted is not None and wanted.every and why == NOT_THERE and (wanted.name, wanted.version) in at_hand


def _places(package: LockedPackage, needed: Sequence[Needed]) -> list[Needed]:
    """Those that may have the package."""
    return [place for place in needed if (package.name, package.version) in place.packages]


def _fits(filename: str, places: Sequence[Needed]) -> bool:
    return any(place.fits(filename) for place in places)


def _missing(locked: Locked, lines: Sequence[Line], needed: Sequence[Needed]) -> tuple[tuple[str, ...], int]:
    """Packages without any line, and the number of other locked wheels without one.

    Where it is known what is needed, each wheel that fits must have a line; of hashes alone, one that fits.
    """
    known = {(line.algorithm, line.hex): line for line in lines}
    packages: dict[str, bool] = {}
    without: set[tuple[str, str]] = set()
    for package in locked.names():
        hashes = set(package_hashes(package))
        places = _places(package, needed)
        if not hashes or (needed and not places):
            continue
        has = _has_those_that_fit(package, known, places) if needed else not known.keys().isdisjoint(hashes)
        label = f"{package.name} {package.version or package.specifier or ''}".rstrip()
        packages[label] = packages.get(label, False) or has
        if not known.keys().isdisjoint(hashes):
            without |= hashes - known.keys()
    return tuple(sorted(label for label, has in packages.items() if not has)), len(without)


def _has_those_that_fit(
    package: LockedPackage, known: Mapping[tuple[str, str], Line], places: Sequence[Needed]
) -> bool:
    named = [one for one in wheels(package) if one.filename is not None]
    if named:
        return all(not known.keys().isdisjoint(one.hashes) for one in named if _fits(one.filename or "", places))
    lines = [known[pair].filename for pair in package_hashes(package) if pair in known]
    return all(any(map(place.fits, lines)) for place in places)
