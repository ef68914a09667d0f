"""Whether a path lies in a directory, however the two are spelt."""

import os

from envcheck.files.root import Files, Unreadable


def lies_in(files: Files, path: str, directory: str) -> bool:
    """As it is spelt, as its links resolve, or because a directory above it *is* that one.

    The last tells where two spellings differ and no link is between them: a file system that takes ``.VENV`` for
    ``.venv``, a directory that is mounted twice. What cannot be resolved counts as inside.
    """
    try:
        spellings = {os.path.normpath(path), files.realpath(path)}
        places = {os.path.normpath(directory), files.realpath(directory)}
    except Unreadable:
        return True
    if any(_below(spelling, place) for spelling in spellings for place in places):
        return True
    there = files.stat(directory)
    if there is None:
        return False
    for spelling in spellings:
        while True:
            found = files.stat(spelling)
            # A file system without inode numbers says 0 for all of them.
            if found is not None and found.st_ino and (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino):
                return True
            parent = os.path.dirname(spelling)
            if parent == spelling:
                break
            spelling = parent
    return False


def _below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
