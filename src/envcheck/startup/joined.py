"""The plans of each side of a version boundary in, one plan out: what differs between them carries the condition."""

from collections import Counter
from collections.abc import Iterable, Sequence

from envcheck.model.startup import Abort, ClosureFile, Occurrence, PathLine, StartupEntry, StartupPlan
from envcheck.startup.ledger import Key

Side = tuple[str, StartupEntry]
"""The releases that a plan stands for, in words, and an entry of it."""


def joined(plans: Sequence[StartupPlan], conditions: Sequence[str]) -> StartupPlan:
    """One plan for an interpreter of which only the sides are known; ``conditions`` names the releases of each."""
    entries: dict[Key, list[Side]] = {}
    for plan, condition in zip(plans, conditions, strict=True):
        for key, entry in _keyed(plan):
            entries.setdefault(key, []).append((condition, entry))
    paths: dict[str, None] = {}
    aborts: dict[Abort, None] = {}
    for plan in plans:
        paths.update(dict.fromkeys(plan.sys_path))
        aborts.update(dict.fromkeys(plan.aborts))
    everywhere = set.intersection(*(set(plan.aborts) for plan in plans))
    return StartupPlan(
        tuple(_entry(entries[key], len(plans)) for key in _in_order(plans)),
        _path_lines(plans),
        tuple(paths),
        tuple(dict.fromkeys(abort if abort in everywhere else abort._replace(certain=False) for abort in aborts)),
        path_certain=all(plan.path_certain and plan.sys_path == plans[0].sys_path for plan in plans),
    )


def _keyed(plan: StartupPlan) -> list[tuple[Key, StartupEntry]]:
    """Entries by what makes them the same on two sides: which one of its text in its file each is.

    Not by the number of its line, which a form feed before it moves.
    """
    met: Counter[tuple[str, str, str | None]] = Counter()
    numbers: dict[int, int] = {}
    for index in sorted(range(len(plan.entries)), key=lambda index: plan.entries[index].line or 0):
        entry = plan.entries[index]
        same = entry.kind, entry.path, entry.code
        numbers[index] = met[same]
        met[same] += 1
    return [((e.kind, e.path, numbers[index], e.code), e) for index, e in enumerate(plan.entries)]


def _in_order(plans: Sequence[StartupPlan]) -> list[Key]:
    """Every entry once, each behind the one that it follows in its own plan."""
    following: dict[Key | None, Key | None] = {None: None}
    for plan in plans:
        before: Key | None = None
        for key, _ in _keyed(plan):
            if key not in following:
                following[key], following[before] = following[before], key
            before = key
    order: list[Key] = []
    at = following[None]
    while at is not None:
        order.append(at)
        at = following[at]
    return order


def _path_lines(plans: Sequence[StartupPlan]) -> tuple[PathLine, ...]:
    """A line that joins ``sys.path`` on any side does."""
    lines: dict[PathLine, PathLine] = {}
    for plan in plans:
        for line in plan.path_lines:
            key = line._replace(added=True)
            if key not in lines or line.added:
                lines[key] = line
    return tuple(lines.values())


def _entry(found: list[Side], sides: int) -> StartupEntry:
    """The side on which the entry runs most often stands for it."""
    if len(found) == sides and all(entry == found[0][1] for _, entry in found):
        return found[0][1]
    most = max((entry for _, entry in found), key=_running)
    if most.runs == 0:
        return most
    where = [(condition, entry) for condition, entry in found if entry.runs]
    only = None if len(where) == sides else _only(condition for condition, _ in where)
    occurrences = _occurrences(most, where, sides) if only is None else most.occurrences
    reached = [o for o in occurrences if o.outcome != "skipped"]
    when = most.when if only is not None else _shared([o.when for o in reached])
    return most._replace(
        occurrences=occurrences,
        when=_both(only, when),
        closure=_closure(where, sides if only is None else len(where)),
        unresolved=tuple(dict.fromkeys(text for _, entry in where for text in entry.unresolved)),
        notes=tuple(dict.fromkeys(note for _, entry in where for note in entry.notes)),
    )


def _running(entry: StartupEntry) -> tuple[int, int]:
    return entry.runs, sum(occurrence.outcome == "runs" for occurrence in entry.occurrences)


def _occurrences(most: StartupEntry, where: list[Side], sides: int) -> tuple[Occurrence, ...]:
    """The occurrences of ``most``; those of passes in which the entry does not run on every side say where it does."""
    numbered: dict[int, list[tuple[str, Occurrence]]] = {}
    for condition, entry in where:
        for other in entry.occurrences:
            if other.outcome != "skipped":
                numbered.setdefault(other.number, []).append((condition, other))
    kept = []
    for occurrence in most.occurrences:
        if occurrence.outcome != "skipped":
            same = numbered[occurrence.number]
            on = dict.fromkeys(text for text, _ in same)
            if len(on) < sides:
                occurrence = occurrence._replace(when=_both(_only(on), occurrence.when))
            elif any(other.when is None for _, other in same):
                # Sure on one side, conditional on another: which it is hangs on the release.
                sure = [text for text, other in same if other.when is None]
                unsure = next((other.when for _, other in same if other.when is not None), None)
                if unsure is not None:
                    occurrence = occurrence._replace(when=f"on {', '.join(sure)}; else {unsure}")
        kept.append(occurrence)
    return tuple(kept)


def _closure(where: list[Side], sides: int) -> tuple[ClosureFile, ...]:
    """What the entry loads on any side."""
    files: dict[tuple[str, str | None], list[tuple[str, ClosureFile]]] = {}
    for condition, entry in where:
        for file in entry.closure:
            files.setdefault((file.path, file.loads), []).append((condition, file))
    closure = []
    for same in files.values():
        _, file = min(same, key=lambda one: one[1].when is not None)
        if len({condition for condition, _ in same}) < sides:
            file = file._replace(when=_both(_only(condition for condition, _ in same), file.when))
        closure.append(file)
    return tuple(closure)


def _only(conditions: Iterable[str]) -> str:
    return "only on " + ", ".join(dict.fromkeys(conditions))


def _both(one: str | None, other: str | None) -> str | None:
    return "; ".join(text for text in (one, other) if text is not None) or None


def _shared(conditions: list[str | None]) -> str | None:
    """The condition of an entry, where each of its occurrences has one."""
    return conditions[0] if conditions and None not in conditions else None
