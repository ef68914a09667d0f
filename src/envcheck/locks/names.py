"""Package names: what a lock may call a package (PEP 508), and which of its names another one resembles."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from envcheck.locks.tables import Table, Wrong, need_str
from envcheck.model.inventory import normalize_name

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SHORTEST = 4
"""Below this length names differ by one letter by chance."""


def package_name(table: Table, key: str) -> str:
    """A package's name, normalised (PEP 503). Raises `Wrong` for what is no name (PEP 508)."""
    normal = _normal(need_str(table, key))
    if normal is None:
        raise Wrong("is not a package name", key)
    return normal


@functools.lru_cache(maxsize=20_000)
def _normal(name: str) -> str | None:
    """Many edges lead to one package."""
    return normalize_name(name) if is_name(name) else None


def is_name(text: str) -> bool:
    """Whether PEP 508 allows it as a name: ASCII letters, digits, ``.``, ``_`` and ``-``, ends in letter or digit."""
    return _NAME.fullmatch(text) is not None


def near_name(name: str, names: Iterable[str]) -> str | None:
    """The first of ``names``, in alphabetical order, that is one letter away: added, left out, other or swapped."""
    if len(name) < _SHORTEST:
        return None
    return min((other for other in names if other != name and _one_letter(name, other)), default=None)


def _one_letter(one: str, other: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns one into the other."""
    if abs(len(one) - len(other)) > 1 or len(other) < _SHORTEST:
        return False
    start = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        start += 1
    one, other = one[start:], other[start:]
    if len(one) == len(other):
        return one[1:] == other[1:] or (one[2:] == other[2:] and one[:2] == other[:2][::-1])
    return one[1:] == other if len(one) > len(other) else one == other[1:]
