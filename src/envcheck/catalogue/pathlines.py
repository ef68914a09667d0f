"""The bytes of a ``.pth`` file into the directories that it adds to ``sys.path``, where it holds nothing else."""

from __future__ import annotations

MAXIMUM = 1 << 20
"""Bytes; no tool writes a longer ``.pth``."""


def decode(data: bytes) -> str | None:
    """A generated file as text, or ``None`` where it is too long, not UTF-8 or holds a NUL."""
    if len(data) > MAXIMUM or b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def lines_of(text: str) -> list[str] | None:
    """The lines of a file with LF or CRLF ends throughout, the last end optional; ``None`` for anything odd.

    A line holds printable characters only (no other line boundary of ``str.splitlines``, by which ``site`` splits
    from 3.12.4 on, nothing invisible or reordering), and neither begins nor ends with a blank, so that every version
    of ``site`` sees the same lines.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    if lines[-1] == "":
        lines.pop()
    if not all(line.isprintable() and line == line.strip() for line in lines):
        return None
    return lines


def is_absolute(path: str) -> bool:
    """An absolute POSIX or Windows path of printable characters, without ``.`` or ``..`` in it.

    ``/proc/self/cwd`` and its like name another directory in every process, so they are no path that a tool writes.
    """
    windows = path[:1].isalpha() and path[1:3] in (":\\", ":/")
    if not path.isprintable() or not (windows or path.startswith(("/", "\\\\"))):
        return False
    if path.startswith(("//", "/proc/", "/dev/fd")):
        return False
    return not {".", ".."} & set(path.replace("\\", "/").split("/"))


def absolute_paths(data: bytes) -> tuple[str, ...] | None:
    """The paths of a file that holds absolute paths, one a line, and at least one; else ``None``."""
    text = decode(data)
    lines = lines_of(text) if text else None
    if not lines or not all(is_absolute(line) for line in lines):
        return None
    return tuple(lines)
