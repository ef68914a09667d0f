"""Poetry's version constraints into PEP 440: ``^1.2``, ``~1.2``, ``1.2.*``, ``>=1,<3``, ``1.2``, joined by ``||``."""

from __future__ import annotations

import re

from envcheck.locks.tables import Wrong

MAX_LENGTH = 2_000

_PART = re.compile(r"\s*(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?([0-9][0-9A-Za-z.+!*_-]*)\s*")
_SEPARATOR = re.compile(r"\s*[,\s]\s*")


def alternatives(constraint: str) -> tuple[str, ...]:
    """The specifiers of which one must hold; an empty one allows every version. Raises `Wrong`."""
    if len(constraint) > MAX_LENGTH:
        raise Wrong(f"is longer than {MAX_LENGTH:,} characters")
    return tuple(_specifier(part.strip()) for part in re.split(r"\|\|?", constraint))


def _specifier(text: str) -> str:
    if text in ("", "*"):
        return ""
    found: list[str] = []
    position = 0
    while position < len(text):
        if text[position] in ", ":
            position += 1
            continue
        matched = _PART.match(text, position)
        if matched is None or matched.end() == position:
            raise Wrong("is not a version constraint that can be read")
        found += _one(matched[1] or "==", matched[2])
        position = matched.end()
    return ",".join(found)


def _one(operator: str, version: str) -> list[str]:
    if operator == "=":
        operator = "=="
    if operator in ("^", "~"):
        numbers = [int(part) for part in re.match(r"[0-9.]*", version)[0].split(".") if part][:8]  # type: ignore[index]
        return [f">={version.rstrip('.*')}", f"<{_next(operator, numbers)}"]
    if version.endswith("*") and operator in (">=", "<=", ">", "<"):
        version = version.rstrip(".*")
    return [f"{operator}{version}"]


def _next(operator: str, numbers: list[int]) -> str:
    """The first version that a caret (the leftmost number that is not zero) or a tilde no longer allows."""
    if operator == "~":
        kept = 2 if len(numbers) >= 2 else 1
    else:
        kept = next((index + 1 for index, number in enumerate(numbers) if number), len(numbers))
    upper = numbers[:kept]
    upper[-1] += 1
    return ".".join(map(str, upper))


def python_marker(constraint: str) -> str | None:
    """The marker that says the same of Python's version. Raises `Wrong`."""
    parts = []
    for specifier in alternatives(constraint):
        if not specifier:
            return None
        conditions = []
        for one in specifier.split(","):
            operator = one.rstrip("0123456789.*abrcdevpost+!_-")
            version = one[len(operator) :]
            # ">3.9" and "<=3.9" are about the minor version, as Poetry's own markers have it.
            short = operator in (">", "<=") and version.count(".") == 1
            conditions.append(f"{'python_version' if short else 'python_full_version'} {operator} '{version}'")
        parts.append(" and ".join(conditions))
    return parts[0] if len(parts) == 1 else " or ".join(f"({part})" for part in parts)
