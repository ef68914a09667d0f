"""Untrusted TOML or JSON tables into typed values, through a handful of strict getters.

A wrong value raises `Wrong`, which collects the key path on its way up (``package[3].wheels[0].hash``), so that a
getter needs to know only its own key. Unknown keys are not looked at: formats add them within a version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from envcheck.model.nouns import TypeAlias

Table: TypeAlias = Mapping[str, Any]
"""A table as the TOML or JSON reader gives it: nothing is known of the values until a getter has looked."""

T = TypeVar("T")

_KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
    type(None): "null",
}


class Wrong(Exception):
    """A value that is not what the format says; ``path`` leads to it from the table that was being read."""

    def __init__(self, why: str, path: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.path = path

    def under(self, key: str) -> Wrong:
        """The same, seen from the table that holds ``key``."""
        if not self.path:
            return Wrong(self.why, key)
        return Wrong(self.why, f"{key}{self.path}" if self.path.startswith("[") else f"{key}.{self.path}")

    def __str__(self) -> str:
        return f"{self.path}: {self.why}" if self.path else self.why


def kind(value: object) -> str:
    """What a value is, in words."""
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def get_str(table: Table, key: str) -> str | None:
    """A string, or ``None`` where the key is absent."""
    value = table.get(key)
    if value is None or type(value) is str:
        return value
    raise Wrong(f"is {kind(value)}, expected a string", key)


def need_str(table: Table, key: str) -> str:
    """A string that must be there."""
    value = get_str(table, key)
    if value is None:
        raise Wrong("is missing, expected a string", key)
    return value


def get_int(table: Table, key: str) -> int | None:
    """An integer that is not negative, or ``None`` where the key is absent."""
    value = table.get(key)
    if value is None:
        return None
    if type(value) is not int:
        raise Wrong(f"is {kind(value)}, expected an integer", key)
    if value < 0:
        raise Wrong("is negative", key)
    return value


def get_bool(table: Table, key: str) -> bool:
    """A boolean, false where the key is absent."""
    value = table.get(key)
    if value is None:
        return False
    if type(value) is not bool:
        raise Wrong(f"is {kind(value)}, expected a boolean", key)
    return value


def get_time(table: Table, key: str) -> str | None:
    """A time as text: formats write it as a string or as TOML's own date-time."""
    value = table.get(key)
    if value is None or type(value) is str:
        return value
    isoformat = getattr(value, "isoformat", None)
    if isoformat is None:
        raise Wrong(f"is {kind(value)}, expected a date and time", key)
    return str(isoformat())


def get_table(table: Table, key: str) -> Table:
    """A table, empty where the key is absent."""
    value = table.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise Wrong(f"is {kind(value)}, expected a table", key)
    return value


def get_array(table: Table, key: str) -> list[Any]:
    """An array of anything, empty where the key is absent."""
    value = table.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise Wrong(f"is {kind(value)}, expected an array", key)
    return value


def get_strings(table: Table, key: str) -> tuple[str, ...]:
    """An array of strings, empty where the key is absent."""
    values = get_array(table, key)
    for index, value in enumerate(values):
        if type(value) is not str:
            raise Wrong(f"is {kind(value)}, expected a string", f"{key}[{index}]")
    return tuple(values)


def each(table: Table, key: str, read: Callable[[Table], T]) -> tuple[T, ...]:
    """What ``read`` makes of every table of an array, in order."""
    result = []
    for index, value in enumerate(get_array(table, key)):
        try:
            if type(value) is not dict:
                raise Wrong(f"is {kind(value)}, expected a table")
            result.append(read(value))
        except Wrong as error:
            raise error.under(f"{key}[{index}]") from None
    return tuple(result)


def by_key(table: Table, key: str, read: Callable[[Table, str], T]) -> tuple[tuple[str, T], ...]:
    """What ``read`` makes of every entry of a table, by the entry's key and in order of the file."""
    inner = get_table(table, key)
    result = []
    for name in inner:
        try:
            result.append((name, read(inner, name)))
        except Wrong as error:
            raise error.under(key) from None
    return tuple(result)
