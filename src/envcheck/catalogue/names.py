"""What a name in a generated startup file may be: which modules a finder, a namespace or a loader may answer for."""

from __future__ import annotations

import sys

_HOOKS = frozenset(
    {"sitecustomize", "usercustomize", "__main__", "_virtualenv", "_distutils_hack", "apport_python_hook"}
)
"""Modules that startup code imports without a package of that name being asked for: an entry for one of them in an
editable finder's mapping is code at every start (the finder answers every later look-up)."""


def is_dotted(name: str) -> bool:
    """Identifiers joined by dots, in ASCII (what Python folds, PEP 3131, could be another name on the screen)."""
    return name.isascii() and all(part.isidentifier() for part in name.split("."))


def is_own_module(name: str) -> bool:
    """A name that a project may give to a module of its own: no standard library module and no startup hook."""
    if not is_dotted(name):
        return False
    top = name.partition(".")[0]
    return top not in _HOOKS and top not in sys.stdlib_module_names


def identifier_of(text: str) -> str:
    """A file name's stem as setuptools makes a module name of it: what is no identifier character becomes ``_``."""
    made = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in text)
    return made if made[:1].isidentifier() else "_" + made
