"""A lock, the places of wheels and an anchors file into what each installed distribution may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from envcheck.anchors.checking import (
    Checked,
    Checking,
    Task,
    is_odd,
    matching_hash,
    mismatch,
    problems_of,
    read_task,
)
from envcheck.anchors.committed import Committed, Line, by_name
from envcheck.anchors.locked import Fits, Locked, filename_tags, same_version, wanted, wheels
from envcheck.anchors.manifests import manifest_digests, manifests, member_of
from envcheck.anchors.sources import Places, find
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import Anchor, AnchorProblem, Expectation, Held, Manifest, UnanchoredReason, Wanted
from envcheck.model.inventory import Distribution
from envcheck.model.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress

Key = tuple[str, str]
"""A distribution's normalised name and its version, as installed."""
_MOST_TOLD = 200


class Anchors:
    """Anchors of one environment's distributions. To be stopped, whatever happens.

    Wheels are looked for, and begun to be read, by `begin`; where the anchors file has a distribution, and the user
    names no wheels, they are not: only if the file's digest is not met.
    """

    def __init__(
        self,
        lock: Lock,
        places: Places,
        committed: Committed | None,
        fits: Fits | None = None,
        workers: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self._files = Files()
        self._locked = Locked(lock)
        self._lock_name = lock.path.rsplit("/", 1)[-1]
        self._places = places
        self._fits = fits
        self._workers = workers
        self._progress = progress
        self._committed = committed
        self._lines = by_name(committed.lines) if committed is not None else {}
        self._checking: Checking | None = None
        self._found: dict[Key, list[Anchor]] = {}
        self._reasons: dict[Key, UnanchoredReason] = {}
        self._doubtful: set[Key] = set()
        self._tags: dict[Key, frozenset[str]] = {}
        self._tasks: dict[tuple[Key, str], Task] = {}
        self._told: set[Task] = set()
        self.problems: list[AnchorProblem] = []

    def begin(self, distributions: Sequence[Distribution]) -> None:
        """Look for the wheels of what is installed, and begin to read them. Raises `UsageError`."""
        if self._committed is not None:
            self._judge_file(self._committed)
        looked_for: list[Wanted] = []
        for distribution in distributions:
            key = (distribution.key, distribution.version)
            self._tags[key] = frozenset(distribution.tags)
            why = self._locked.why_not(*key)
            if why is not None:
                self._reasons[key] = why
                continue
            from_file = self._relevant(key, [self._from_line(line) for line in self._lines_of(*key)])
            self._found[key] = from_file
            if self._places.wheels or not from_file:
                looked_for += self._wanted(key)
        self._checking = Checking(self._files, self._look(looked_for), self._workers)

    def expectation(self, name: str, version: str) -> Expectation:
        """What an installed distribution may be; waits for the wheels to be read."""
        if self._checking is not None:
            checking, self._checking = self._checking, None
            self._take(checking.take())
        key = (name, version)
        if key in self._reasons:
            return Expectation((), self._reasons[key])
        anchors = tuple(self._found.get(key, ()))
        if not anchors:
            in_file = self._committed is not None and not self._places.wheels
            return Expectation((), "doubtful" if key in self._doubtful else "not-in-file" if in_file else "no-wheel")
        more = self._search(key) if not any(anchor.manifests for anchor in anchors) else self._fetch_rest(key)
        return Expectation(anchors, None, more, partial(self._accuses, key))

    def member(self, name: str, version: str, location: str) -> tuple[Anchor, bytes] | None:
        """The bytes that a locked wheel at hand has for a location."""
        expected = self.expectation(name, version)
        for anchor in (*expected.anchors, *(expected.more() if expected.more else ())):
            task = self._tasks.get(((name, version), anchor.archive_hash))
            try:
                read = read_task(self._files, task, ()) if task is not None else None
                member = member_of(read, location) if read is not None and read.certain else None
                if task is None or member is None:
                    continue
                read = read_task(self._files, task, (), (member,))
            except Unreadable:
                continue
            if matching_hash(task.wanted, read) is not None and member in read.texts:
                return anchor, read.texts[member]
        return None

    def stop(self) -> None:
        """End what is being read."""
        if self._checking is not None:
            self._checking.stop()
            self._checking = None

    @property
    def bytes_read(self) -> int:
        """Of archives."""
        return self._files.bytes_read

    def _wanted(self, key: Key) -> list[Wanted]:
        name, version = key
        return [
            one
            for package in self._locked.packages(name, version)
            for one in wanted(package, version, self._tags.get(key, frozenset()), self._fits)
        ]

    def _look(self, looked_for: Sequence[Wanted]) -> list[Task]:
        """Files that may be wanted archives, less those that lie in a target."""
        problems: list[tuple[Wanted | None, str]] = []
        found = self._find(looked_for, self._places._replace(fetch=False), problems)
        if self._places.fetch:
            at_hand = {(one.name, one.version) for one in found}
            missing = [one for one in looked_for if (one.name, one.version) not in at_hand]
            found.update(self._find(_worth_a_download(missing), self._places, problems))
        for one, why in problems[:_MOST_TOLD]:
            what = f"{one.name} {one.version}" if one is not None else "Archives"
            where = (one.url or one.filename or "") if one is not None else ""
            message = f"{what}: {why}."
            self.problems.append(AnchorProblem("unanchored", where, message, one.name if one else None, mild=True))
        return [
            Task(one, held)
            for one, holders in found.items()
            for held in dict.fromkeys(holders)
            if not any(held.path.startswith(place.rstrip("/") + "/") for place in self._places.forbidden)
        ]

    def _find(
        self, looked_for: Sequence[Wanted], places: Places, problems: list[tuple[Wanted | None, str]]
    ) -> dict[Wanted, list[Held]]:
        return find(self._files, looked_for, places, self._progress, problems) if looked_for else {}

    def _take(self, found: Sequence[Checked]) -> None:
        """Believe what has a locked hash and one content; tell the rest."""
        matched = {(one.task.wanted.name, one.task.wanted.version) for one in found if one.archive_hash is not None}
        for one in sorted(found, key=lambda one: one.task):
            task = one.task
            key = (task.wanted.name, task.wanted.version)
            if one.archive_hash is None:
                if key not in matched:
                    self._doubtful.add(key)
                if task.held.origin == "wheels":
                    # A cache has more under one name than the locked wheel: Poetry keeps what it built there.
                    self.problems.append(mismatch(self._files, task, self._lock_name))
                continue
            if one.odd:
                self._tell(task)
            if not one.digests:
                self._doubtful.add(key)
                continue
            self._add(key, task, one.archive_hash, one.digests, one.filename)

    def _add(
        self, key: Key, task: Task, archive_hash: tuple[str, str], digests: tuple[str, ...], filename: str
    ) -> None:
        text = ":".join(archive_hash)
        self._tasks[key, text] = task
        filename = filename or f"the locked wheel of {task.wanted.name} {task.wanted.version}"
        known = self._found.setdefault(key, [])
        same = next((anchor for anchor in known if anchor.archive_hash == text), None)
        made = Anchor(filename, text, task.held.origin, digests, lambda: self._manifests(task))
        if same is None:
            known.append(made)
            return
        if same.manifests is not None:
            return
        known.remove(same)
        known.append(made)
        if set(same.digests) != set(digests):
            self._compare_line(task, same, made)

    def _compare_line(self, task: Task, line: Anchor, anchor: Anchor) -> None:
        """The anchors file has another digest than RECORD gives; only the members' own bytes decide."""
        try:
            read = read_task(self._files, task, None)
        except Unreadable:
            return
        if read.certain and set(manifest_digests(read)[0]) != set(line.digests):
            path = self._committed.path if self._committed is not None else ""
            message = (
                f"{path.rsplit('/', 1)[-1]} has another digest for {line.filename} than the wheel gives, which is at "
                "hand: the file was changed, or made from something else."
            )
            self.problems.append(AnchorProblem("anchors-invalid", path, message, task.wanted.name))

    def _manifests(self, task: Task) -> tuple[Manifest, ...]:
        try:
            read = read_task(self._files, task, None)
        except Unreadable:
            return ()
        if not read.certain or matching_hash(task.wanted, read) is None:
            return ()
        if task not in self._told and is_odd(read):
            # Only its members' own bytes tell that a row of its RECORD is wrong.
            self._tell(task)
        return manifests(read)

    def _tell(self, task: Task) -> None:
        self._told.add(task)
        self.problems += problems_of(self._files, task)

    def _search(self, key: Key) -> Callable[[], tuple[Anchor, ...]]:
        """Look for a distribution's wheels, now that the anchors file alone does not do."""

        def search() -> tuple[Anchor, ...]:
            tasks = self._look(self._wanted(key))
            self._take(Checking(self._files, tasks, 1).take())
            return tuple(anchor for anchor in self._found.get(key, ()) if anchor.manifests is not None)

        return search

    def _fetch_rest(self, key: Key) -> Callable[[], tuple[Anchor, ...]] | None:
        """Fetch locked wheels that are not at hand, now that those which are do not do."""
        if not self._places.fetch:
            return None

        def search() -> tuple[Anchor, ...]:
            at_hand = {anchor.archive_hash for anchor in self._found.get(key, ())}
            looked_for = []
            for one in self._wanted(key):
                rest = tuple(pair for pair in one.hashes if ":".join(pair) not in at_hand)
                # A named wheel may have several hashes; hashes without a name are those of several wheels.
                if rest == one.hashes or (rest and one.filename is None):
                    looked_for.append(one._replace(hashes=rest))
            self._take(Checking(self._files, self._look(looked_for), 1).take())
            return tuple(anchor for anchor in self._found.get(key, ()) if anchor.manifests is not None)

        return search

    def _accuses(self, key: Key, anchor: Anchor) -> bool:
        """A wheel for another platform does not, unless what is installed says that it is that one."""
        tags = anchor.tags
        return (
            not tags
            or self._fits is None
            or self._fits(anchor.filename)
            or not tags.isdisjoint(self._tags.get(key, ()))
        )

    def _lines_of(self, name: str, version: str) -> list[Line]:
        """Lines of a locked wheel of that version."""
        hashes = self._locked.hashes(name, version)
        return [
            line
            for line in self._lines.get(name, ())
            if same_version(line.version, version) and (line.algorithm, line.hex) in hashes
        ]

    def _relevant(self, key: Key, anchors: list[Anchor]) -> list[Anchor]:
        """Lines of which one must be what is installed; none where it may well be a locked wheel without a line.

        WHEEL may lie: where it names no wheel that has a line, the lines count if they are all that the lock has for
        the target. A lock of bare hashes does not tell that; then they count if any fits the target.
        """
        tags = self._tags.get(key, frozenset())
        if not anchors or any(anchor.tags & tags for anchor in anchors):
            return anchors
        known = {anchor.archive_hash for anchor in anchors}
        artifacts = [one for package in self._locked.packages(*key) for one in wheels(package)]
        named = [one for one in artifacts if one.filename is not None]
        if not named:
            return anchors if self._fits is None or any(self._fits(one.filename) for one in anchors) else []
        fitting = [one for one in named if self._fits is None or self._fits(one.filename or "")]
        complete = all(not known.isdisjoint(map(":".join, one.hashes)) for one in fitting)
        return anchors if fitting and complete else []

    def _from_line(self, line: Line) -> Anchor:
        return Anchor(line.filename, f"{line.algorithm}:{line.hex}", "file", line.digests)

    def _judge_file(self, committed: Committed) -> None:
        self.problems += committed.problems
        self.problems += judge_lines(self._locked, committed)


def _worth_a_download(looked_for: Sequence[Wanted]) -> list[Wanted]:
    """Of each version, the wheels that the installed WHEEL file names, else all that fit.

    Where it names another than what was installed, that one is compared, and differs.
    """
    named = [one for one in looked_for if one.filename is None or not filename_tags(one.filename).isdisjoint(one.tags)]
    known = {(one.name, one.version) for one in named}
    return [one for one in looked_for if one in named or (one.name, one.version) not in known]


def judge_lines(locked: Locked, committed: Committed) -> list[AnchorProblem]:
    """Lines of wheels that the lock does not know: left behind, or, of a locked version, with another hash."""
    found = []
    left: list[str] = []
    label = committed.path.rsplit("/", 1)[-1]
    lock_name = locked.lock.path.rsplit("/", 1)[-1]
    for line in committed.lines:
        hashes = locked.hashes(line.name, line.version)
        if not hashes:
            left.append(line.filename)
        elif (line.algorithm, line.hex) not in hashes:
            message = (
                f"{label}: {line.filename} has another hash than {lock_name} has for it; the line is not believed."
            )
            found.append(AnchorProblem("anchors-invalid", committed.path, message, line.name, line.number))
    if left:
        named = ", ".join(left[:3]) + (", …" if len(left) > 3 else "")
        count = f"{len(left)} wheels" if len(left) > 1 else "a wheel"
        message = f"{label} has {count} that {lock_name} does not name any more: {named}."
        found.append(AnchorProblem("anchors-stale", committed.path, message))
    return found
