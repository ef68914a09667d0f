"""Whether a path leads into whatever process looks at it: its current directory, its descriptors, all of ``/proc``.

Such a path means something else to the Python that would start than to a scan, which must never follow it.
"""

import posixpath

from envcheck.files.root import Files, Unreadable

_PROCESS = [["dev", "fd"], ["dev", "stdin"], ["dev", "stdout"], ["dev", "stderr"]]
"""Directories and files of the running process, besides all of ``/proc``."""
_LINKS = 40


def names_process(files: Files, path: str, plain: set[str] | None = None) -> bool:
    """A relative path, or one into the running process, by itself or by links.

    ``plain`` keeps the paths that are known to be no links, for the next question.
    """
    if not path.startswith("/"):
        return True
    known: set[str] = set() if plain is None else plain
    for _ in range(_LINKS + 1):
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if parts[:1] == ["proc"] or parts[:2] in _PROCESS:
            return True
        target = _first_link(files, parts, known)
        if target is None:
            return False
        path = target
    return False


def _first_link(files: Files, parts: list[str], plain: set[str]) -> str | None:
    """The path with the first link in it replaced by what it says; ``None`` where it has none."""
    at = ""
    for index, part in enumerate(parts):
        step = posixpath.dirname(at).rstrip("/") if part == ".." else f"{at}/{part}"
        if part != ".." and step not in plain:
            target = _link(files, step)
            if target is not None:
                return "/".join([posixpath.join(at or "/", target), *parts[index + 1 :]])
            plain.add(step)
        at = step
    return None


def _link(files: Files, path: str) -> str | None:
    """The text of a link, or ``None`` for what is no link."""
    try:
        return files.readlink(path) if files.is_link(path) else None
    except Unreadable:
        return None
