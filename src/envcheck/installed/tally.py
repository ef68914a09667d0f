"""What a verification adds up: deviations, totals, and each distribution's share of them."""

from __future__ import annotations

from collections.abc import Callable

from envcheck.files.root import Files
from envcheck.installed.distributions import Installation
from envcheck.model.inventory import Deviation, Distribution, FileCounts, Problem
from envcheck.model.ownership import Assurance, Owner

_UNPROVEN: frozenset[Problem] = frozenset(
    {"record-missing", "record-unhashed", "record-invalid", "closed-set", "record-conflict"}
)


_UNOWNED: frozenset[Problem] = frozenset(
    {
        "unowned-code",
        "unowned-configuration",
        "unowned-data",
        "script-unowned",
        "script-shadows",
        "bytecode-sourceless",
    }
)

MODIFIED: frozenset[Problem] = frozenset(
    {"modified", "script-modified", "forged", "forged-row", "swapped", "unlike-anchor"}
)

_MOST = 200_000
"""Deviations that are listed: a tree that has more has enough."""


class Share:
    """One distribution's part: how many rows its RECORD has, and how they proved."""

    __slots__ = ("anchored", "files", "missing", "modified", "proven_by_dpkg", "unproven")

    def __init__(self) -> None:
        self.files = self.modified = self.missing = 0
        self.unproven = 0
        self.proven_by_dpkg = False
        self.anchored = False


class Tally:
    """Filled while site and scripts directories are verified."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.deviations: list[Deviation] = []
        self.verified = 0
        self.unowned = 0
        self.unreadable = 0
        self._shares: dict[int, Share] = {}
        self._order: list[Installation] = []
        self._claimants: list[Installation | None] = []

    def share(self, installation: Installation) -> Share:
        """The part of one distribution; asking for it makes it one of the environment's."""
        found = self._shares.get(id(installation))
        if found is None:
            found = self._shares[id(installation)] = Share()
            self._order.append(installation)
        return found

    def add(
        self,
        problem: Problem,
        path: str,
        claimant: Installation | None = None,
        expected: str | None = None,
        actual: str | None = None,
        detail: str | None = None,
        line: int | None = None,
        owner: Owner | None = None,
        kind: str | None = None,
    ) -> None:
        """One deviation, counted where it belongs."""
        if claimant is not None:
            owner = claimant.owner
            share = self.share(claimant)
            share.modified += problem in MODIFIED
            share.missing += problem == "missing"
            share.unproven += problem in _UNPROVEN
        self.unowned += problem in _UNOWNED
        self.unreadable += problem == "unreadable"
        if len(self.deviations) < _MOST:
            self._claimants.append(claimant)
            self.deviations.append(Deviation(problem, path, owner, expected, actual, detail, line, kind))
        else:
            self._files.miss(path.rpartition("/")[0], f"more than {_MOST:,} deviations: those here are not listed")

    def withdraw(self, wrong: Callable[[Deviation, Installation | None], bool]) -> None:
        """Take back what a stronger proof tells otherwise."""
        kept = []
        for deviation, claimant in zip(self.deviations, self._claimants, strict=True):
            if not wrong(deviation, claimant):
                kept.append((deviation, claimant))
                continue
            self.unowned -= deviation.problem in _UNOWNED
            if claimant is not None:
                share = self.share(claimant)
                share.modified -= deviation.problem in MODIFIED
                share.missing -= deviation.problem == "missing"
                share.unproven -= deviation.problem in _UNPROVEN
        self.deviations = [deviation for deviation, _ in kept]
        self._claimants = [claimant for _, claimant in kept]

    def of(self, installation: Installation) -> list[Deviation]:
        """What was found of one distribution's files."""
        return [one for one, claimant in zip(self.deviations, self._claimants, strict=True) if claimant is installation]

    def counts(self, bytes_read: int) -> FileCounts:
        """The totals."""
        return FileCounts(
            verified=self.verified,
            bytes=bytes_read,
            modified=sum(deviation.problem in MODIFIED for deviation in self.deviations),
            missing=sum(deviation.problem == "missing" for deviation in self.deviations),
            unowned=self.unowned,
            unreadable=self.unreadable,
        )

    def distributions(self) -> tuple[Distribution, ...]:
        """Each distribution with what its files proved to be."""
        return tuple(_finish(installation, self._shares[id(installation)]) for installation in self._order)

    def sorted_deviations(self) -> tuple[Deviation, ...]:
        """By path, then kind: the same tree gives the same report."""
        return tuple(sorted(self.deviations, key=_order))


def _order(found: Deviation) -> tuple[str, str, int, str]:
    return found.path, found.problem, found.line or 0, found.detail or ""


def _finish(installation: Installation, share: Share) -> Distribution:
    found = installation.distribution()
    assurance: Assurance = "recorded"
    if share.modified:
        assurance = "modified"
    elif share.anchored:
        assurance = "anchored"
    elif share.unproven or not (found.has_record or share.proven_by_dpkg):
        assurance = "unrecorded"
    entry_points = tuple((entry.group, entry.name, entry.value) for entry in installation.entry_points)
    found = found._replace(entry_points=entry_points)
    return found._replace(files=share.files, modified=share.modified, missing=share.missing, assurance=assurance)
