"""Files that may be wanted wheels into what they are: each read once, by copies of this process while others work."""

from __future__ import annotations

import os
from collections.abc import Sequence

from envcheck.anchors.manifests import manifest_digests, odd_rows
from envcheck.anchors.naming import LONGEST, own_name
from envcheck.anchors.sources.names import wheel_name
from envcheck.anchors.wheel import WheelRead, read_wheel
from envcheck.files.root import Files, Unreadable
from envcheck.files.workers import Results
from envcheck.formats.archive import AMBIGUOUS, UNSAFE, Oddity
from envcheck.formats.record import hash_field
from envcheck.model.anchor import AnchorProblem, Held, Wanted
from envcheck.model.nouns import NamedTuple

_DIGEST = 43
_READINGS = 2
_SIZE = 5 + _DIGEST * _READINGS + 1 + LONGEST
_UNREADABLE, _SOUND, _DOUBTFUL, _OTHER = 1, 2, 3, 4
_LISTED = 20


class Task(NamedTuple):
    """A file to be read, and what it may be."""

    wanted: Wanted
    held: Held


class Checked(NamedTuple):
    """What a file is."""

    task: Task
    archive_hash: tuple[str, str] | None
    """The locked hash that it has; ``None`` where it has none of them."""
    digests: tuple[str, ...]
    """Of its canonical manifest; none where its content is not certain."""
    odd: bool
    filename: str
    """As the lock or a directory of wheels has it, else as the wheel itself says; empty where none does."""


class Checking:
    """Files being read. ``thorough`` takes each member's own bytes, where else its RECORD is believed about them."""

    def __init__(self, files: Files, tasks: Sequence[Task], workers: int, thorough: bool = False) -> None:
        self._files = files
        # The largest first, so that no copy begins with it when all others are done.
        self._tasks = sorted(tasks, key=lambda task: (-_size(files, task.held), task.held))
        self._thorough = thorough
        self._results = Results(len(self._tasks), _SIZE, self._work, workers or _cores())

    def take(self) -> list[Checked]:
        """What each file is; to be called once."""
        found = []
        for task, result in zip(self._tasks, self._results.take(), strict=True):
            state, odd, count = result[:3]
            matched = task.wanted.hashes[int.from_bytes(result[3:5], "big")] if state in (_SOUND, _DOUBTFUL) else None
            end = 5 + _DIGEST * count
            text = result[5:end].decode("ascii")
            digests = tuple(text[_DIGEST * at : _DIGEST * (at + 1)] for at in range(count))
            own = result[end + 1 : end + 1 + result[end]].decode("utf-8", "replace")
            found.append(Checked(task, matched, digests, bool(odd), _given_name(task) or own))
        return found

    def stop(self) -> None:
        """End the copies."""
        self._results.stop()

    def _work(self, number: int) -> bytes:
        task = self._tasks[number]
        try:
            read = read_task(self._files, task, None if self._thorough else ())
        except Unreadable:
            return bytes((_UNREADABLE, 0, 0, 0, 0))
        matched = matching_hash(task.wanted, read)
        if matched is None:
            return bytes((_OTHER, 0, 0, 0, 0))
        index = task.wanted.hashes.index(matched).to_bytes(2, "big")
        if not read.certain:
            return bytes((_DOUBTFUL, 1, 0)) + index
        digests, odd = manifest_digests(read)
        name = b"" if _given_name(task) else (own_name(read) or "").encode("utf-8", "replace")
        head = bytes((_SOUND, bool(odd) or is_odd(read), len(digests))) + index
        return head + "".join(digests).encode("ascii") + bytes((len(name),)) + name


def read_task(files: Files, task: Task, members: Sequence[str] | None, keep: Sequence[str] = ()) -> WheelRead:
    """The wheel, hashed by every algorithm that the lock has. Raises `Unreadable`."""
    algorithms = tuple(dict.fromkeys(algorithm for algorithm, _ in task.wanted.hashes))
    return read_wheel(files, task.held, task.wanted.name, algorithms, members, keep)


def matching_hash(wanted: Wanted, read: WheelRead) -> tuple[str, str] | None:
    """The locked hash that a file has."""
    return next((pair for pair in wanted.hashes if read.hashes.get(pair[0]) == pair[1]), None)


def is_odd(read: WheelRead) -> bool:
    """Whether there is anything to tell of a wheel; members whose bytes were not read are believed to be RECORD's."""
    record = read.record
    if read.oddities or record is None or record.invalid:
        return True
    own = f"{read.info}/RECORD"
    paths = [path for path in record.paths if path and path != own]
    members = {entry.name for entry in read.archive.safe} - {own}
    if len(paths) != len(members) or set(paths) != members:
        return True
    plain = sum(len(field) == 50 and field.startswith("sha256=") for field in record.hashes)
    if plain != len(paths):
        return True
    rows = dict(zip(record.paths, record.hashes, strict=True))
    return any(hash_field(content.sha256) != rows[name] for name, content in read.contents.items() if name != own)


def problems_of(files: Files, task: Task) -> list[AnchorProblem]:
    """Everything to be told of a wheel that the lock names: read again, and whole."""
    wanted, held = task
    try:
        read = read_task(files, task, None)
    except Unreadable as error:
        return [AnchorProblem("archive-hostile", held.path, f"It cannot be read: {error.why}.", wanted.name)]
    found = []
    told = [(odd.member, f"{odd.kind}: {odd.detail}", odd.kind) for odd in (*read.oddities, *_layout(read))]
    bad = [(member, text) for member, text, kind in told if kind in AMBIGUOUS | UNSAFE]
    mild = [(member, text) for member, text, kind in told if kind not in AMBIGUOUS | UNSAFE]
    label = held.path.rsplit("/", 1)[-1]
    if bad:
        member, text = bad[0]
        doubt = "" if read.certain else "; its content is not certain, and nothing is proven by it"
        message = f"{label} is not as a wheel should be: {f'{member} ' if member else ''}({text}){doubt}."
        found.append(AnchorProblem("archive-hostile", held.path, message, wanted.name, evidence=_evidence(bad)))
    if read.certain:
        mild += [(member, f"row: {why}") for member, why in odd_rows(read)]
    if mild:
        member, text = mild[0]
        more = f", and {len(mild) - 1} more" if len(mild) > 1 else ""
        message = f"{label} is odd: {f'{member} ' if member else ''}({text}){more}; what it installs was compared."
        found.append(AnchorProblem("archive-odd", held.path, message, wanted.name, evidence=_evidence(mild)))
    return found


def mismatch(files: Files, task: Task, lock_name: str) -> AnchorProblem:
    """A file that has a wanted wheel's name or place, and another hash than the lock has."""
    wanted, held = task
    label = held.path.rsplit("/", 1)[-1]
    what = f"{wanted.name} {wanted.version}"
    try:
        read = read_task(files, task, ())
    except Unreadable as error:
        return AnchorProblem("archive-mismatch", held.path, f"{label}, looked at for {what}: {error.why}.", wanted.name)
    algorithm = wanted.hashes[0][0]
    evidence: list[tuple[str, str | int | tuple[str, ...]]] = [(algorithm, read.hashes[algorithm])]
    evidence.append(("expected", tuple(f"{name}:{value}" for name, value in wanted.hashes[:_LISTED])))
    evidence.append(("origin", held.origin))
    message = f"{label} is not the {what} that {lock_name} names: its {algorithm} is {read.hashes[algorithm]}."
    return AnchorProblem("archive-mismatch", held.path, message, wanted.name, evidence=tuple(evidence))


def _given_name(task: Task) -> str:
    """The file name that is known before the archive is read."""
    base = task.held.path.rsplit("/", 1)[-1]
    parts = wheel_name(base) if task.held.origin == "wheels" else None
    return task.wanted.filename or (base if parts is not None and parts.name == task.wanted.name else "")


def _layout(read: WheelRead) -> list[Oddity]:
    return manifest_digests(read)[1] if read.certain else []


def _evidence(told: Sequence[tuple[str | None, str]]) -> tuple[tuple[str, str | int | tuple[str, ...]], ...]:
    listed = tuple(f"{member}: {text}" if member else text for member, text in told[:_LISTED])
    return (("count", len(told)), ("odd", listed))


def _size(files: Files, held: Held) -> int:
    if held.length is not None:
        return held.length
    found = files.stat(held.path)
    return found.st_size if found is not None else 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
