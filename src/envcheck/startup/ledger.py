"""What one simulated start reaches: each entry with its occurrences, in order, and under which conditions.

A failure that files alone do not prove ends nothing here: what follows keeps its runs and carries the condition.
"""

from __future__ import annotations

from envcheck.model.startup import (
    Abort,
    ClosureFile,
    EntryKind,
    Occurrence,
    Outcome,
    PathLine,
    StartupEntry,
)

Key = tuple[str, str, int | None, str | None]


class Fails(Exception):
    """The code that runs fails for certain; whoever catches exceptions there goes on."""


class Ends(Exception):
    """The code that runs ends the start for certain."""


class Record:
    """A startup entry while it is simulated."""

    __slots__ = (
        "closure", "code", "elsewhere", "kind", "line", "loads", "notes", "occurrences", "outside", "path", "place",
        "reason", "rule", "sha256", "shadowed_by", "unresolved",
    )  # fmt: skip

    def __init__(self, kind: EntryKind, path: str, line: int | None, code: str | None, place: int) -> None:
        self.kind = kind
        self.path = path
        self.line = line
        self.code = code
        self.place = place
        self.loads: str | None = None
        self.occurrences: list[Occurrence] = []
        self.reason: str | None = None
        self.shadowed_by: str | None = None
        self.closure: dict[str, ClosureFile] = {}
        self.unresolved: dict[str, None] = {}
        self.sha256: str | None = None
        self.rule = ""
        self.notes: tuple[str, ...] = ()
        self.outside: str | None = None
        self.elsewhere: str | None = None

    @property
    def ran(self) -> bool:
        """Whether any occurrence executes."""
        return any(occurrence.outcome != "skipped" for occurrence in self.occurrences)

    @property
    def key(self) -> Key:
        """What makes two records the same entry."""
        return self.kind, self.path, self.line, self.code

    def entry(self) -> StartupEntry:
        """The record as a value."""
        reached = [o for o in self.occurrences if o.outcome != "skipped"]
        conditions = [o.when for o in reached if o.when is not None]
        return StartupEntry(
            self.kind,
            self.path,
            self.line,
            self.code,
            self.loads,
            tuple(self.occurrences),
            reason=None if reached else self.reason or "it is not reached",
            when=conditions[0] if reached and len(conditions) == len(reached) else None,
            shadowed_by=self.shadowed_by,
            closure=tuple(self.closure.values()),
            unresolved=tuple(self.unresolved),
            sha256=self.sha256,
            rule=self.rule,
            notes=self.notes,
            outside=self.outside,
            elsewhere=None if reached else self.elsewhere,
        )

    def first(self) -> int:
        """Where the entry stands in the plan: the order of its first run, else where it would stand."""
        return min((o.order for o in self.occurrences if o.outcome != "skipped"), default=self.place)


class Ledger:
    """Everything that a simulated start reaches."""

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        self.path_lines: dict[tuple[str, int, str], PathLine] = {}
        self.aborts: dict[Abort, None] = {}
        self.order = 0
        self.passing: list[str] = []
        """Conditions that hold until the code that is running is left, innermost last."""
        self.lasting: dict[str, None] = {}
        """Conditions that hold for the rest of the start."""
        self.disturbed: str | None = None
        """What ran already that may have changed what later code does, so that nothing is certain any more."""
        self.ended: str | None = None
        """Why the start is over, when that is certain."""

    @property
    def when(self) -> str | None:
        """The conditions of what is reached now, in words."""
        conditions = dict.fromkeys([*self.lasting, *self.passing])
        return "; ".join(conditions) or None

    @property
    def conditions(self) -> frozenset[str]:
        """The same, one by one."""
        return frozenset((*self.lasting, *self.passing))

    @property
    def certain(self) -> bool:
        """Whether nothing that ran so far could make a failure something else."""
        return self.disturbed is None and not self.passing and not self.lasting

    def record(self, kind: EntryKind, path: str, line: int | None, code: str | None, rule: str = "") -> Record:
        """The record of an entry, made where it is first met."""
        key = (kind, path, line, code)
        found = self.records.get(key)
        if found is None:
            found = self.records[key] = Record(kind, path, line, code, self.order)
            found.rule = rule
        return found

    def reach(self, record: Record, number: int) -> bool:
        """Note that an entry is reached in a pass; whether it runs (a start that is over reaches nothing more)."""
        if self.ended is not None:
            self.skip(record, number, self.ended)
            return False
        self.order += 1
        record.occurrences.append(Occurrence(number, self.order, "runs", self.when))
        return True

    def skip(self, record: Record, number: int, reason: str) -> None:
        """Note that an entry is passed over in a pass."""
        self.order += 1
        record.occurrences.append(Occurrence(number, self.order, "skipped"))
        if record.reason is None:
            record.reason = reason

    def condition(self, record: Record) -> None:
        """Put the conditions of this moment on the newest occurrence."""
        if record.occurrences:
            record.occurrences[-1] = record.occurrences[-1]._replace(when=self.when)

    def conclude(self, record: Record, outcome: Outcome, index: int) -> None:
        """Set the outcome of an occurrence that was noted as running."""
        record.occurrences[index] = record.occurrences[index]._replace(outcome=outcome)

    def abort(self, path: str, line: int | None, why: str, may_differ: str, certain: bool = True) -> None:
        """The start fails here, for certain or (``may_differ`` says how not) as far as files tell."""
        if self.ended is not None:
            return
        certain = certain and self.certain
        self.aborts[Abort(path, line, why, certain)] = None
        if certain:
            self.ended = f"the start ends before: {why}"
        elif self.when is None:
            # An end that is itself reached only under a condition leaves what follows as likely as it was.
            self.lasting[may_differ] = None
