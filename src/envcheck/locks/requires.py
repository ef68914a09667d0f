"""A requirement (PEP 508), as formats and ``pyproject.toml`` write it, into an edge of a lock's graph."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement

from envcheck.locks.markers import checked
from envcheck.locks.tables import Table, Wrong, get_strings
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Dependency

MAX_LENGTH = 20_000


def requirement(text: str) -> Requirement:
    """Raises `Wrong` for what is no requirement."""
    if len(text) > MAX_LENGTH:
        raise Wrong(f"is longer than {MAX_LENGTH:,} characters")
    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError, ValueError):
        raise Wrong("is not a requirement that can be read") from None


def edge(text: str, markers: set[str]) -> Dependency:
    """The edge that a requirement makes; ``markers`` are those already checked. Raises `Wrong`."""
    found = requirement(text)
    return Dependency(
        normalize_name(found.name),
        None,
        checked(None if found.marker is None else str(found.marker), markers),
        tuple(sorted(normalize_name(extra) for extra in found.extras)),
        specifier=str(found.specifier) or None,
    )


def edges(table: Table, key: str, markers: set[str]) -> tuple[Dependency, ...]:
    """The edges of an array of requirements. Raises `Wrong` with the place."""
    found = []
    for index, text in enumerate(get_strings(table, key)):
        try:
            found.append(edge(text, markers))
        except Wrong as error:
            raise error.under(f"{key}[{index}]") from None
    return tuple(found)


def any_marker(markers: list[str | None]) -> str | None:
    """The marker that holds where one of several does; ``None`` is one that always holds."""
    texts = []
    for marker in markers:
        if marker is None:
            return None
        texts.append(marker)
    different = dict.fromkeys(texts)
    return next(iter(different)) if len(different) == 1 else " or ".join(f"({text})" for text in different)


def every_marker(*markers: str | None) -> str | None:
    """The marker that holds where all of several do; ``None`` is one that always holds."""
    texts = list(dict.fromkeys(marker for marker in markers if marker is not None))
    if len(texts) < 2:
        return texts[0] if texts else None
    return " and ".join(f"({text})" for text in texts)


def in_group(group: str) -> str:
    """The marker that holds where a group (a normalised name) is chosen (PEP 751)."""
    return f"'{group}' in dependency_groups"
