"""Turns a configuration file into typed settings: every wrong key or value is one line with its path.

What a key may be is told by the command line's own options, so that the two cannot disagree; here are the tables that
no option stands for: ``rules``, ``waivers``, ``expected``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.model.nouns import Literal, NamedTuple
from envcheck.model.policy import Expected, Waiver
from envcheck.model.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Kind = Literal["text", "choice", "number", "switch", "list"]

OFF = "off"
_HEX = frozenset("0123456789abcdef")
_FILES_ENDING = ("pyproject.toml",)


class Setting(NamedTuple):
    """What a key of the file may be: one option of the command line."""

    key: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()
    is_path: bool = False


class Configuration(NamedTuple):
    """One file, read and valid."""

    path: str
    values: Mapping[str, Any] = {}
    """Keys of the command line's options, with values of their kinds."""
    severities: Mapping[str, Severity] = {}
    off: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    expected: tuple[Expected, ...] | None = None


def parse(data: bytes, path: str) -> Mapping[str, Any] | None:
    """envcheck's table of a file, or ``None`` where a ``pyproject.toml`` has none. Raises `UsageError`."""
    import tomli

    try:
        document = tomli.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8", "save it as UTF-8") from None
    except tomli.TOMLDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: {error.msg}", "correct it, or scan with --no-config") from None
    except (RecursionError, ValueError):
        raise UsageError(f"{path}: no TOML that can be read", "correct it, or scan with --no-config") from None
    if not path.endswith(_FILES_ENDING):
        return document
    tool = document.get("tool")
    table = tool.get("envcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}: tool.envcheck: expected a table")
    return table


def read(table: Mapping[str, Any], path: str, settings: Mapping[str, Setting], rules: Sequence[str]) -> Configuration:
    """A table into settings. Raises `UsageError` with the key's path and the nearest valid name."""
    prefix = "tool.envcheck." if path.endswith(_FILES_ENDING) else ""
    at = _At(path, prefix)
    known = [*settings, "rules", "waivers", "expected"]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in settings:
            values[key] = _value(settings[key], value, at)
        elif key not in known:
            raise at.unknown("", key, known)
    severities, off = _rules(table.get("rules", {}), rules, at)
    return Configuration(
        path,
        values,
        severities,
        off,
        tuple(_waiver(row, f"waivers[{n}]", rules, at) for n, row in enumerate(_tables(table, "waivers", at))),
        tuple(_expected(row, f"expected[{n}]", at) for n, row in enumerate(_tables(table, "expected", at)))
        if "expected" in table
        else None,
    )


class _At:
    """Where a value stands, for messages."""

    def __init__(self, path: str, prefix: str) -> None:
        self.path = path
        self.prefix = prefix

    def wrong(self, key: str, why: str, hint: str = "") -> UsageError:
        return UsageError(f"{self.path}: {self.prefix}{key}: {why}", hint)

    def unknown(self, table: str, key: str, known: Sequence[str]) -> UsageError:
        import difflib

        near = difflib.get_close_matches(str(key), known, 1)
        hint = f"did you mean: {near[0]}" if near else f"known: {', '.join(known)}"
        return self.wrong(f"{table}{key}", "no such key", hint)


def _value(setting: Setting, value: object, at: _At) -> Any:
    wanted = {
        "text": "a string",
        "choice": f"one of {', '.join(setting.choices)}",
        "number": "a whole number",
        "switch": "true or false",
        "list": "a list of strings",
    }[setting.kind]
    if not _fits(setting, value) or "\0" in str(value):
        raise at.wrong(setting.key, f"expected {wanted}")
    return value


def _fits(setting: Setting, value: object) -> bool:
    if setting.kind == "switch":
        return isinstance(value, bool)
    if setting.kind == "number":
        return type(value) is int
    if setting.kind == "list":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, str) and (setting.kind == "text" or value in setting.choices)


def _rules(table: object, rules: Sequence[str], at: _At) -> tuple[dict[str, Severity], tuple[str, ...]]:
    if not isinstance(table, dict):
        raise at.wrong("rules", "expected a table of rules and severities")
    severities: dict[str, Severity] = {}
    off = []
    labels = {severity.label: severity for severity in Severity}
    for rule, value in table.items():
        if rule not in rules:
            raise at.unknown("rules.", rule, rules)
        if value == OFF:
            off.append(rule)
        elif isinstance(value, str) and value in labels:
            severities[rule] = labels[value]
        else:
            raise at.wrong(f"rules.{rule}", f"expected one of {', '.join([*labels, OFF])}")
    return severities, tuple(off)


def _tables(table: Mapping[str, Any], key: str, at: _At) -> list[dict[str, Any]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise at.wrong(key, f"expected tables: [[{at.prefix}{key}]]")
    return rows


def _waiver(row: Mapping[str, Any], key: str, rules: Sequence[str], at: _At) -> Waiver:
    known = ("rule", "path", "owner", "sha256", "reason", "expires")
    _only(row, key, known, at)
    rule = _text(row, key, "rule", at)
    if rule not in rules:
        raise at.unknown(f"{key}.rule: ", rule, rules)
    if "path" in row and "owner" in row:
        raise at.wrong(key, "names a path and an owner", "name one of them")
    sha256 = _text(row, key, "sha256", at)
    if not _is_digest(sha256):
        raise at.wrong(f"{key}.sha256", "expected 64 hexadecimal digits", "reports give a waiver to paste")
    return Waiver(
        rule,
        _text(row, key, "path", at) if "path" in row else None,
        _text(row, key, "owner", at) if "owner" in row else None,
        sha256,
        _text(row, key, "reason", at),
        _day(row.get("expires"), f"{key}.expires", at),
        f"{at.path}: {at.prefix}{key}",
    )


def _expected(row: Mapping[str, Any], key: str, at: _At) -> Expected:
    _only(row, key, ("path", "owner", "sha256"), at)
    if "path" not in row and "owner" not in row:
        raise at.wrong(key, "expected a path or an owner")
    sha256 = _text(row, key, "sha256", at) if "sha256" in row else None
    if sha256 is not None and not _is_digest(sha256):
        raise at.wrong(f"{key}.sha256", "expected 64 hexadecimal digits")
    return Expected(
        _text(row, key, "path", at) if "path" in row else None,
        _text(row, key, "owner", at) if "owner" in row else None,
        sha256,
    )


def _only(row: Mapping[str, Any], key: str, known: Sequence[str], at: _At) -> None:
    for name in row:
        if name not in known:
            raise at.unknown(f"{key}.", name, known)


def _text(row: Mapping[str, Any], key: str, name: str, at: _At) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        hint = "say why it is accepted" if name == "reason" else ""
        raise at.wrong(f"{key}.{name}", "expected a string that is not empty", hint)
    return printable(value)


def _day(value: object, key: str, at: _At) -> str:
    """``2027-01-31``, as a string or as TOML's own date."""
    import datetime

    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "").isoformat()
    except ValueError:
        raise at.wrong(key, "expected a day, as YYYY-MM-DD", "the last day on which it holds") from None


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= _HEX
