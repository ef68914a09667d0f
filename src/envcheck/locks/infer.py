"""Extras, groups and workspace members that nobody named, from what is installed.

The always-sound comparison needs none of this; it only decides what counts as missing. The search starts at what the
installer does by default and takes, one after the other, the member, extra or group whose addition (or, for defaults,
removal) explains more of what is installed, as long as one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from envcheck.locks.markers import Markers
from envcheck.locks.select import Choice, Index, Selection, known_extras, known_groups, select
from envcheck.model.lock import Dependency, Lock

MAX_WALKS = 400
MAX_EDGES = 1_000_000
"""Walks of the graph, and edges that they may pass in all; a walk takes a millisecond for three hundred packages."""


def infer(
    lock: Lock,
    markers: Markers,
    packages: Index,
    start: Choice,
    installed: Mapping[str, AbstractSet[str]],
    members_only: bool = False,
) -> Selection:
    """The selection that explains ``installed`` (normalised name to versions) best; ``start`` where it does so.

    ``members_only`` keeps the extras and groups of ``start``: the user named them.
    """
    best = select(lock, markers, start, packages)
    least = _unexplained(best, packages, installed)
    left = min(MAX_WALKS, MAX_EDGES // (packages.edges + 1))
    offered = None if members_only else _Offered(lock, packages, installed)
    while least:
        improved = None
        for choice in _neighbours(lock, best.choice, installed, offered):
            if left <= 0:
                break
            left -= 1
            candidate = select(lock, markers, choice, packages)
            count = _unexplained(candidate, packages, installed)
            if count < least:
                improved, least = candidate, count
        if improved is None:
            break
        best = improved
    return best._replace(inferred=True)


def _unexplained(selection: Selection, packages: Index, installed: Mapping[str, AbstractSet[str]]) -> int:
    """How many packages of the lock are here and not selected, or selected and not here; own members do not count."""
    count = 0
    selected: dict[str, list[str | None]] = {}
    for package in selection.packages:
        selected.setdefault(package.name, []).append(package.version)
    own = set(selection.choice.members)
    for name, versions in selected.items():
        if name in own:
            continue
        here = installed.get(name)
        if here is None:
            count += 1
        elif not any(version is None or version in here for version in versions):
            count += 2 if _elsewhere(name, here, packages) else 0
    count += sum(name in packages.by_name and name not in selected and name not in own for name in installed)
    return count


def _elsewhere(name: str, here: AbstractSet[str], packages: Index) -> bool:
    """Whether another fork of the lock has the version that is installed."""
    return any(entry.version in here for entry in packages.by_name[name])


class _Offered:
    """The project's extras and groups; of a graph those that ask directly for something that is installed."""

    def __init__(self, lock: Lock, packages: Index, installed: Mapping[str, AbstractSet[str]]) -> None:
        own = [package for root in lock.roots for package in packages.by_name.get(root, ())]
        extras = [pair for package in own for pair in package.optional_dependencies]
        groups = [pair for package in own for pair in package.group_dependencies]
        if lock.graph:
            self.extras = self._here([*extras, *lock.root_extra_dependencies], installed)
            self.groups = self._here([*groups, *lock.root_group_dependencies], installed)
        else:
            self.extras, self.groups = known_extras(lock), known_groups(lock)

    @staticmethod
    def _here(
        pairs: list[tuple[str, tuple[Dependency, ...]]], installed: Mapping[str, AbstractSet[str]]
    ) -> tuple[str, ...]:
        return tuple(sorted({name for name, edges in pairs if any(edge.name in installed for edge in edges)}))


def _neighbours(
    lock: Lock, choice: Choice, installed: Mapping[str, AbstractSet[str]], offered: _Offered | None
) -> Iterator[Choice]:
    """Every choice one step away that could explain more: something of what it adds is installed."""
    for member in lock.roots:
        if member in choice.members:
            if len(choice.members) > 1:
                yield choice._replace(members=tuple(name for name in choice.members if name != member))
        elif member in installed:
            yield choice._replace(members=(*choice.members, member))
    if offered is None:
        return
    for extra in sorted(choice.extras):
        yield choice._replace(extras=choice.extras - {extra})
    for extra in offered.extras:
        if extra not in choice.extras:
            yield choice._replace(extras=choice.extras | {extra})
    for group in sorted(choice.groups):
        yield choice._replace(groups=choice.groups - {group})
    for group in offered.groups:
        if group not in choice.groups:
            yield choice._replace(groups=choice.groups | {group})
