"""The directories that may belong to one project, from the one that somebody stands in upwards."""

import os
import stat
from collections.abc import Iterator

from envcheck.files.root import Files


def upwards(files: Files, directory: str, home: str | None) -> Iterator[str]:
    """The directory and those above it that may be of the same project.

    The search ends at the root of a Git work tree, below ``home``, and before a directory that anybody may write to.
    """
    current = os.path.normpath(directory)
    home = None if home is None else os.path.normpath(home)
    while True:
        yield current
        parent = os.path.dirname(current)
        if parent in (current, "/") or current == home or parent == home or files.exists(os.path.join(current, ".git")):
            return
        found = files.stat(parent)
        if found is None or found.st_mode & stat.S_IWOTH:
            return
        current = parent
