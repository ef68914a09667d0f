"""The lock of a single-file script into what the script itself says beside it (PEP 723).

uv locks ``tool.py`` into ``tool.py.lock``. What the lock does not repeat (settings, the requirements as they are now)
stands in the comment block ``# /// script`` of the script.
"""

from __future__ import annotations

import re

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.locks.tables import Table
from envcheck.locks.toml import parse_toml
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock

MAX_SCRIPT = 16 << 20
MAX_BLOCK = 10_000
"""Lines of a block; one is written by hand."""

_OPENING = re.compile(r"^# /// script[ \t]*$", re.MULTILINE)


def script_of(lock: Lock) -> str | None:
    """The script that a uv lock belongs to; ``None`` for that of a project, whose packages are its roots."""
    if lock.format != "uv" or lock.roots or lock.path.endswith("/uv.lock") or not lock.path.endswith(".lock"):
        return None
    return lock.path[: -len(".lock")]


def read_script(files: Files, path: str) -> Table:
    """The metadata block of a script; empty where there is none, or none that can be read."""
    try:
        text = files.read(path, MAX_SCRIPT).decode("utf-8")
        block = _block(text.replace("\r\n", "\n"))
        return {} if block is None else parse_toml(block.encode("utf-8"), "the script's block")
    except Missing:
        pass
    except UnicodeDecodeError:
        files.miss(path, "is not UTF-8")
    except Unreadable as error:
        files.miss(path, error.why)
    except LockError as error:
        files.miss(path, error.message)
    return {}


def _block(text: str) -> str | None:
    """What stands between the opening and the last closing line of the block of comments that it begins."""
    found = _OPENING.search(text)
    if found is None:
        return None
    lines: list[str] = []
    closed = None
    for line in text[found.end() + 1 :].split("\n", MAX_BLOCK)[:MAX_BLOCK]:
        if line.rstrip() == "# ///":
            closed = len(lines)
        if not (line == "#" or line.startswith("# ")):
            break
        lines.append(line[2:])
    return None if closed is None else "\n".join(lines[:closed]) + "\n"
