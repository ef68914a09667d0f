"""A Lock and an interpreter into what should be installed there: the walk that the lock's own installer makes.

For a graph (uv) from the project's packages along the edges whose markers hold; for a list (requirements) the entries
whose markers hold.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from envcheck.locks.markers import Markers, mentions_choice
from envcheck.locks.versions import ordered, satisfies
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Dependency, Lock, LockedPackage
from envcheck.model.nouns import NamedTuple

_WEIGHT = 10
MAX_STEPS = 300_000
"""Edges looked at while conflict markers are worked out; a lock of 335 packages needs some thousands."""

MAX_FORKED = 16
"""Names of which one of several entries is settled, each by a walk of its own."""


class Choice(NamedTuple):
    """What of a lock is asked for. Names are normalised."""

    members: tuple[str, ...]
    """Packages of the project itself to start from."""
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class Selection(NamedTuple):
    """What should be installed, and for which choice."""

    packages: tuple[LockedPackage, ...]
    """In the order of the walk; packages that are not installed themselves (``virtual``) are left out."""
    choice: Choice
    inferred: bool = False


class Index(NamedTuple):
    """A lock's packages by name; entries of one name are forks."""

    by_name: dict[str, list[LockedPackage]]
    by_extra: dict[tuple[int, str], tuple[Dependency, ...]]
    """The edges of a package's extra, by the package's identity and the extra's name."""
    edges: int
    """What one selection costs, in edges passed."""
    conflicts: bool
    """Whether any marker depends on the chosen extras or groups."""


def index(lock: Lock) -> Index:
    """Made once for the many walks of an inference."""
    by_name: dict[str, list[LockedPackage]] = {}
    for package in lock.packages:
        by_name.setdefault(package.name, []).append(package)
    by_extra = {(id(p), extra): edges for p in lock.packages for extra, edges in p.optional_dependencies}
    tables = [*(p.dependencies for p in lock.packages), *by_extra.values()]
    tables += [edges for p in lock.packages for _, edges in p.group_dependencies]
    tables += [edges for _, edges in (*lock.root_group_dependencies, *lock.root_extra_dependencies)]
    # To evaluate a marker of a list costs as much as passing ten edges of a graph.
    listed = 0 if lock.graph else sum(_WEIGHT for p in lock.packages if p.marker is not None)
    conflicts = any(edge.marker is not None and mentions_choice(edge.marker) for edges in tables for edge in edges)
    forked = 0 if lock.format == "uv" or not lock.graph else sum(len(entries) > 1 for entries in by_name.values())
    cost = (sum(map(len, tables)) + listed) * (1 + min(forked, MAX_FORKED))
    return Index(by_name, by_extra, cost, conflicts)


def default_members(lock: Lock, packages: Index) -> tuple[str, ...]:
    """What the installer starts from when nothing is said: the project beside the lock, else every member."""
    own = tuple(name for name in lock.roots if any(entry.source == "." for entry in packages.by_name.get(name, ())))
    return own or lock.roots


def known_extras(lock: Lock) -> tuple[str, ...]:
    """The extras that the project's own packages offer, sorted."""
    names = {extra for package in _own(lock) for extra, _ in package.optional_dependencies}
    return tuple(sorted({*names, *lock.extras, *(extra for extra, _ in lock.root_extra_dependencies)}))


def known_groups(lock: Lock) -> tuple[str, ...]:
    """The dependency groups of the project, sorted."""
    names = {group for package in _own(lock) for group, _ in package.group_dependencies}
    return tuple(sorted({*names, *lock.groups, *(group for group, _ in lock.root_group_dependencies)}))


def chosen(
    lock: Lock,
    members: tuple[str, ...],
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    all_extras: bool = False,
    all_groups: bool = False,
    no_default_groups: bool = False,
) -> Choice:
    """The choice that the command line's options make. Raises `LockError` for an extra or group that there is not.

    PDM speaks of extras as of groups, and takes all that it locked only where none is named.
    """
    if lock.format == "pdm":
        groups, extras = (*groups, *extras), ()
        no_default_groups = no_default_groups or bool(groups)
    wanted_extras = known_extras(lock) if all_extras else _known("extra", extras, known_extras(lock), lock)
    wanted_groups = set(known_groups(lock) if all_groups else _known("group", groups, known_groups(lock), lock))
    if not no_default_groups:
        wanted_groups |= set(lock.default_groups) & set(known_groups(lock))
    return Choice(members, frozenset(wanted_extras), frozenset(wanted_groups))


def select(lock: Lock, markers: Markers, choice: Choice, packages: Index | None = None) -> Selection:
    """What the lock's own installer would install for the choice. Works on lists and graphs alike."""
    if lock.graph:
        packages = packages or index(lock)
        found = _walk(lock, markers, choice, packages)
        return Selection(found if lock.format == "uv" else _agreed(lock, markers, choice, packages, found), choice)
    held = (p for p in lock.packages if not p.constraint and markers.hold(p.marker, choice.extras, choice.groups))
    return Selection(tuple(held), choice)


def _known(word: str, names: Iterable[str], known: Sequence[str], lock: Lock) -> set[str]:
    wanted = {normalize_name(name) for name in names}
    for name in sorted(wanted - set(known)):
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise LockError(
            f"{lock.path.rsplit('/', 1)[-1]}: no {word} named {name!r}", f"{has}: --{word} names one of them"
        )
    return wanted


def _own(lock: Lock) -> list[LockedPackage]:
    roots = set(lock.roots)
    return [package for package in lock.packages if package.name in roots]


Node = tuple[LockedPackage, "str | None"]
"""A package, or one extra of it: what the walk goes through."""
Key = tuple[int, "str | None"]


def _walk(lock: Lock, markers: Markers, choice: Choice, packages: Index) -> tuple[LockedPackage, ...]:
    """Breadth first from the members; every package reached, in that order."""
    active, nodes = _start(lock, markers, choice, packages)
    if packages.conflicts:
        active = _activated(markers, packages, active, nodes)
    seen = {_key(node) for node in nodes}
    queue = deque(nodes)
    visited: dict[int, LockedPackage] = {}
    while queue:
        package, extra = queue.popleft()
        visited.setdefault(id(package), package)
        # Poetry leaves an extra's own condition on the edges that the extra brings in.
        names = active if extra is None or lock.format == "uv" else active | {extra}
        for edge in _edges(package, extra, packages):
            if markers.hold(edge.marker, names):
                for node in _nodes(edge, packages, markers):
                    if _key(node) not in seen:
                        seen.add(_key(node))
                        queue.append(node)
    return tuple(package for package in visited.values() if package.source_kind != "virtual")


def _agreed(
    lock: Lock, markers: Markers, choice: Choice, packages: Index, found: tuple[LockedPackage, ...]
) -> tuple[LockedPackage, ...]:
    """One entry of each name: the newest that every edge allows, as Poetry's solver finds it among what is locked.

    Edges of Poetry and PDM name no version, so that a loose one leads to every fork. The name that the walk met first
    is settled first, and then the walk is made again without its other entries. Where no entry suits all, all stay.
    """
    settled: set[str] = set()
    while True:
        several: dict[str, list[LockedPackage]] = {}
        for package in found:
            several.setdefault(package.name, []).append(package)
        name = next((n for n, entries in several.items() if len(entries) > 1 and n not in settled), None)
        if name is None or len(settled) > MAX_FORKED:
            return found
        settled.add(name)
        wanted = [edge.specifier for edge in _leading(lock, markers, choice, packages, found) if edge.name == name]
        suited = [e for e in several[name] if all(_suits(e, specifier) for specifier in wanted)]
        if (suited and len(suited) < len(several[name])) or len(suited) > 1:
            best = max(suited, key=lambda entry: ordered(entry.version))
            packages = packages._replace(by_name={**packages.by_name, name: [best]})
            found = _walk(lock, markers, choice, packages)


def _leading(
    lock: Lock, markers: Markers, choice: Choice, packages: Index, found: tuple[LockedPackage, ...]
) -> Iterator[Dependency]:
    """The edges that hold, of the project and of what was found."""
    raw = [lock.root_dependencies, *(edges for group, edges in lock.root_group_dependencies if group in choice.groups)]
    raw += [edges for extra, edges in lock.root_extra_dependencies if extra in choice.extras]
    raw += [package.dependencies for package in found]
    for edges in raw:
        yield from (edge for edge in edges if markers.hold(edge.marker, choice.extras))


def _suits(entry: LockedPackage, specifier: str | None) -> bool:
    return specifier is None or entry.version is None or satisfies(entry.version, specifier)


def _start(lock: Lock, markers: Markers, choice: Choice, packages: Index) -> tuple[frozenset[str], list[Node]]:
    """What conflict markers know as chosen, and the nodes to walk from: members, their extras and groups, raw roots."""
    active = _active(choice, lock)
    nodes: list[Node] = []
    for name in choice.members:
        for package in packages.by_name.get(name, ()):
            nodes.append((package, None))
            nodes += [(package, extra) for extra, _ in package.optional_dependencies if extra in choice.extras]
            for group, edges in package.group_dependencies:
                if group not in choice.groups:
                    continue
                for edge in edges:
                    switched = active | _switched(edge)
                    if markers.hold(edge.marker, switched):
                        active = switched
                        nodes += _nodes(edge, packages, markers)
    raw = [lock.root_dependencies, *(edges for group, edges in lock.root_group_dependencies if group in choice.groups)]
    raw += [edges for extra, edges in lock.root_extra_dependencies if extra in choice.extras]
    for edges in raw:
        for edge in edges:
            if markers.hold(edge.marker, choice.extras):
                active |= _switched(edge)
                nodes += _nodes(edge, packages, markers)
    return active, list({_key(node): node for node in nodes}.values())


def _activated(markers: Markers, packages: Index, active: frozenset[str], nodes: list[Node]) -> frozenset[str]:
    """``active`` and the extras that edges deep in the graph switch on, which decide about edges near its root too.

    uv walks once only to learn them. An edge counts while some way to it holds with what is active by then, because
    uv writes an edge's marker as simplified under the conditions of the ways that lead to it.
    """
    ways: dict[Key, dict[tuple[Key, str | None], None]] = {_key(node): {} for node in nodes}
    roots = set(ways)
    queue = deque(nodes)
    left = MAX_STEPS

    def reachable(key: Key, names: frozenset[str]) -> bool:
        nonlocal left
        pending, seen = [key], {key}
        while pending:
            current = pending.pop()
            if current in roots:
                return True
            left -= len(ways[current])
            for parent, marker in ways[current]:
                if parent not in seen and markers.hold(marker, names):
                    seen.add(parent)
                    pending.append(parent)
        return False

    while queue:
        package, extra = queue.popleft()
        key = (id(package), extra)
        for edge in _edges(package, extra, packages):
            left -= 1
            if left < 0:
                raise LockError(
                    "the lock's conflicting extras lead to more ways than envcheck follows", "use --no-lock"
                )
            names = active | _switched(edge)
            if not markers.hold(edge.marker, names) or not reachable(key, names):
                continue
            active = names
            for node in _nodes(edge, packages, markers):
                into = ways.setdefault(_key(node), {})
                if (key, edge.marker) not in into:
                    into[key, edge.marker] = None
                    queue.append(node)
    return active


def _key(node: Node) -> Key:
    return id(node[0]), node[1]


def _edges(package: LockedPackage, extra: str | None, packages: Index) -> tuple[Dependency, ...]:
    return package.dependencies if extra is None else packages.by_extra.get((id(package), extra), ())


def _nodes(edge: Dependency, packages: Index, markers: Markers) -> list[Node]:
    """The package that an edge leads to, and the extras of it that it asks for."""
    return [(target, extra) for target in _targets(edge, packages, markers) for extra in (None, *edge.extras)]


def _targets(edge: Dependency, packages: Index, markers: Markers) -> list[LockedPackage]:
    """The one package that an edge means; for a raw requirement the fork that belongs to this environment."""
    found = packages.by_name.get(edge.name, [])
    if len(found) < 2:
        return found
    if edge.specifier is not None:
        return [entry for entry in found if entry.version is None or satisfies(entry.version, edge.specifier)]
    if edge.version is None and edge.source is None:
        return [entry for entry in found if markers.hold(entry.marker)]
    return [
        entry
        for entry in found
        if (edge.version is None or entry.version == edge.version)
        and (edge.source is None or entry.source == edge.source)
        and (edge.commit is None or entry.commit == edge.commit)
    ]


def _switched(edge: Dependency) -> frozenset[str]:
    return frozenset(extra_name(edge.name, extra) for extra in edge.extras)


def extra_name(package: str, extra: str) -> str:
    """How uv spells a package's extra in a conflict marker."""
    return f"extra-{len(package)}-{package}-{extra}"


def _active(choice: Choice, lock: Lock) -> frozenset[str]:
    """The names that uv's conflict markers know the choice by (``extra-3-app-cpu``, ``group-…``, ``project-…``)."""
    names = set()
    for package in _own(lock):
        if package.name not in choice.members:
            continue
        size = len(package.name)
        names.add(f"project-{size}-{package.name}")
        names |= {
            extra_name(package.name, extra) for extra, _ in package.optional_dependencies if extra in choice.extras
        }
        names |= {
            f"group-{size}-{package.name}-{group}" for group, _ in package.group_dependencies if group in choice.groups
        }
    return frozenset(names)
