"""The bytes of a TOML file into tables."""

from __future__ import annotations

from typing import Any

from envcheck.locks.tables import Table
from envcheck.model.errors import LockError

_HINT = "lock again with the tool that wrote it"


def parse_toml(data: bytes, shown: str) -> Table:
    """A TOML document. Raises `LockError` with the line."""
    import tomli

    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LockError(f"{shown}:{line}: not UTF-8", _HINT) from None
    try:
        parsed: dict[str, Any] = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise LockError(f"{shown}:{error.lineno}: {error.msg}", _HINT) from None
    except RecursionError:
        raise LockError(f"{shown}: nested too deeply", _HINT) from None
    except ValueError as error:
        # A number or date that TOML allows and Python does not (more digits than int() converts).
        raise LockError(f"{shown}: {error}", _HINT) from None
    return parsed
