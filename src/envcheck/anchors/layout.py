"""A wheel's members into the places where installers put them (PyPA's binary distribution format)."""

from __future__ import annotations

from collections.abc import Iterable

from envcheck.formats.archive import Oddity
from envcheck.formats.manifest import fold, header
from envcheck.model.nouns import NamedTuple

_SCHEMES = frozenset({"purelib", "platlib", "scripts", "data", "headers"})


class Reading(NamedTuple):
    """Where each member goes, by one way of reading the wheel."""

    members: dict[str, str]
    """Location to the member that is found there."""
    scripts: frozenset[str]
    """Members whose ``#!python`` line installers replace."""


def metadata_directory(names: Iterable[str]) -> list[str]:
    """The top-level ``.dist-info`` directories."""
    found = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    return sorted(name for name in found if name.endswith(".dist-info"))


def readings(names: Iterable[str], info: str, project: str) -> tuple[list[Reading], list[Oddity]]:
    """Every way in which installers read a wheel, the specified one first, and what is odd.

    pip takes any top-level ``*.data`` for the wheel's own; uv only the one that bears its name. Both write what lies in
    ``.data`` after the rest, over it.
    """
    own = info.removesuffix(".dist-info") + ".data"
    root: list[str] = []
    data: list[tuple[str, str, str]] = []
    foreign: list[tuple[str, str, str]] = []
    odd: list[Oddity] = []
    for name in names:
        top, _, rest = name.partition("/")
        if not top.endswith(".data") or not rest:
            root.append(name)
            continue
        scheme, _, path = rest.partition("/")
        if scheme in _SCHEMES and path:
            (data if top == own else foreign).append((name, scheme, path))
        elif top == own:
            odd.append(Oddity("odd-name", "is in no scheme that installers know", name))
        else:
            root.append(name)
    if foreign:
        odd.append(Oddity("foreign-data", "is not the wheel's own by its name: pip takes it for that", foreign[0][0]))
    strict = _reading([*root, *(name for name, _, _ in foreign)], data, project, odd)
    return [strict, *([_reading(root, [*data, *foreign], project, [])] if foreign else [])], odd


def _reading(root: list[str], data: list[tuple[str, str, str]], project: str, odd: list[Oddity]) -> Reading:
    members = {f"S/{name}": name for name in root}
    scripts = set()
    for name, scheme, path in data:
        location = _location(scheme, path, project)
        if location in members:
            odd.append(Oddity("duplicate", f"stands where {members[location]} does", name))
        members[location] = name
        if scheme == "scripts":
            scripts.add(name)
    return Reading(members, frozenset(scripts))


def _location(scheme: str, path: str, project: str) -> str:
    if scheme in ("purelib", "platlib"):
        return f"S/{path}"
    if scheme == "scripts":
        return f"B/{path}"
    return header(project, path) if scheme == "headers" else fold(path)
