"""The ``pyproject.toml`` beside a lock, for what the lock does not repeat: default groups, roots, what it was made of.

Its absence is nothing; one that cannot be read is noted, and then nothing is known of it.
"""

import os

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.constraints import alternatives, python_marker
from envcheck.locks.markers import checked
from envcheck.locks.names import is_name
from envcheck.locks.requires import edge, edges, every_marker
from envcheck.locks.tables import Table, Wrong, by_key, get_array, get_bool, get_str, get_strings, get_table, kind
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Dependency
from envcheck.model.nouns import NamedTuple

MAX_INCLUDES = 32
"""Dependency groups that include one another, deep."""

Edges = tuple[Dependency, ...]
Named = tuple[tuple[str, Edges], ...]


class Roots(NamedTuple):
    """What a project asks for."""

    dependencies: Edges = ()
    extras: Named = ()
    groups: Named = ()
    optional_groups: frozenset[str] = frozenset()
    """Groups that are installed only when they are named."""


def read_project(files: Files, directory: str) -> Table:
    """The parsed ``pyproject.toml`` of a directory; empty where there is none, or none that can be read."""
    path = os.path.join(directory, "pyproject.toml")
    try:
        return parse_toml(files.read(path), "pyproject.toml")
    except Missing:
        pass
    except Unreadable as error:
        files.miss(path, error.why)
    except LockError as error:
        files.miss(path, error.message)
    return {}


def uv_default_groups(project: Table) -> tuple[str, ...] | None:
    """``tool.uv.default-groups``; ``None`` means all of them, and uv's own default is ``dev``. Raises `Wrong`."""
    settings = get_table(get_table(project, "tool"), "uv")
    if "default-groups" not in settings:
        return ("dev",)
    if settings["default-groups"] == "all":
        return None
    return tuple(normalize_name(group) for group in get_strings(settings, "default-groups"))


def standard_roots(project: Table, markers: set[str]) -> Roots:
    """What ``[project]`` and ``[dependency-groups]`` ask for (PEP 621, PEP 735). Raises `Wrong`."""
    table = get_table(project, "project")
    try:
        dependencies = edges(table, "dependencies", markers)
        extras = by_key(table, "optional-dependencies", lambda inner, key: edges(inner, key, markers))
    except Wrong as error:
        raise error.under("project") from None
    return Roots(dependencies, _normal(extras), dependency_groups(project, markers))


def dependency_groups(project: Table, markers: set[str]) -> Named:
    """``[dependency-groups]`` with what they include. Raises `Wrong`."""
    table = get_table(project, "dependency-groups")
    spelt = {normalize_name(name): name for name in table if is_name(name)}

    def collect(group: str, above: tuple[str, ...]) -> Edges:
        found: list[Dependency] = []
        for index, item in enumerate(get_array(table, spelt[group])):
            try:
                if type(item) is str:
                    found.append(edge(item, markers))
                    continue
                if type(item) is not dict:
                    raise Wrong(f"is {kind(item)}, expected a string or a table")
                included = normalize_name(get_str(item, "include-group") or "")
                if included not in spelt or included in above or len(above) > MAX_INCLUDES:
                    raise Wrong("includes no group that there is, or itself")
                found += collect(included, (*above, included))
            except Wrong as error:
                raise error.under(f"{spelt[group]}[{index}]") from None
            if len(found) > 20_000:
                raise Wrong("includes more than 20,000 requirements", spelt[group])
        return tuple(found)

    try:
        return tuple((group, collect(group, (group,))) for group in spelt)
    except Wrong as error:
        raise error.under("dependency-groups") from None


def poetry_roots(project: Table, markers: set[str]) -> Roots:
    """What ``[project]``, ``[dependency-groups]`` and ``[tool.poetry]`` ask for. Raises `Wrong`."""
    standard = standard_roots(project, markers)
    try:
        poetry = get_table(get_table(project, "tool"), "poetry")
        own = _poetry_table(poetry, "dependencies", markers)
        groups = dict(standard.groups)
        optional = set()
        if "dev-dependencies" in poetry:
            older = _poetry_table(poetry, "dev-dependencies", markers)
            groups["dev"] = (*groups.get("dev", ()), *(found for _, found, _ in older))
        tables = get_table(poetry, "group")
        for name in tables:
            group = get_table(tables, name)
            key = normalize_name(name)
            asked = _poetry_table(group, "dependencies", markers)
            groups[key] = (*groups.get(key, ()), *(found for _, found, _ in asked))
            if get_bool(group, "optional"):
                optional.add(key)
        named = by_key(poetry, "extras", get_strings)
    except Wrong as error:
        raise error.under("tool.poetry") from None
    # Beside [project] Poetry's own table adds nothing, it only says more of what is listed there.
    more = () if standard.dependencies else tuple(found for _, found, left_out in own if not left_out)
    dependencies = (*standard.dependencies, *more)
    extras = dict(standard.extras)
    for extra, names in named:
        wanted = {normalize_name(name.partition("[")[0].strip()) for name in names}
        key = normalize_name(extra)
        extras[key] = (*extras.get(key, ()), *(found for name, found, _ in own if name in wanted))
    return Roots(dependencies, tuple(extras.items()), tuple(groups.items()), frozenset(optional))


def _poetry_table(table: Table, key: str, markers: set[str]) -> list[tuple[str, Dependency, bool]]:
    """Name, edge and whether it is optional, of each entry of a table of Poetry's dependencies."""
    found = []
    inner = get_table(table, key)
    for name in inner:
        if normalize_name(name) == "python":
            continue
        try:
            found += [(normalize_name(name), one, optional) for one, optional in poetry_edges(inner, name, markers)]
        except Wrong as error:
            raise error.under(key) from None
    return found


def poetry_edges(table: Table, name: str, markers: set[str]) -> list[tuple[Dependency, bool]]:
    """The edges that Poetry writes for one name: a constraint, a table, or an array of them. Raises `Wrong`."""
    if not is_name(name):
        raise Wrong("is not a package name", name[:80])
    value = table[name]
    found = []
    for one in value if type(value) is list else [value]:
        try:
            if type(one) is str:
                one = {"version": one}
            if type(one) is not dict:
                raise Wrong(f"is {kind(one)}, expected a string or a table")
            python = get_str(one, "python")
            marker = every_marker(get_str(one, "markers"), python_marker(python) if python else None)
            specifier = "||".join(alternatives(get_str(one, "version") or "*"))
            extras = get_strings(one, "extras") if "extras" in one else ()
        except Wrong as error:
            raise error.under(name) from None
        found.append(
            (
                Dependency(
                    normalize_name(name),
                    None,
                    checked(marker, markers),
                    tuple(sorted(normalize_name(extra) for extra in extras)),
                    specifier=specifier or None,
                ),
                get_bool(one, "optional"),
            )
        )
    return found


def _normal(named: Named) -> Named:
    return tuple((normalize_name(name), found) for name, found in named)
