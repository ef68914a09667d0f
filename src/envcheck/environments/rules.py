"""What each CPython does between its executable's path and the site directories: a row a change.

Sources: ``Modules/getpath.c`` (to 3.10), ``Modules/getpath.py`` (from 3.11) and ``Lib/site.py`` of each version.
"""

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """The behaviour from one version on, until the next row."""

    since: tuple[int, int]
    home_syntax: Literal["tokens", "partition"]
    """How the path configuration reads ``home``: exact words with blanks between, or ``key = value`` of any case."""
    home_search: Literal["resolved", None, "unresolved"]
    """Where it looks for pyvenv.cfg: beside, then above the link-resolved executable; or above, then beside the
    path as it was started."""
    cfg_bound: int | None
    """Bytes from which on a pyvenv.cfg ends the start: getpath.py reads files of less than 32 KiB."""
    zip_landmark: bool
    """Whether ``lib/pythonXY.zip`` marks a prefix, before ``os.py`` does."""
    platlibdir: bool
    """Whether PYTHONPLATLIBDIR is read, and ``lib`` is a site library directory besides a different platlibdir."""
    prefix_by: Literal["site", "getpath"]
    """Who makes the virtual environment ``sys.prefix``: ``site`` (parent of the executable's directory) or the path
    configuration (the directory of the pyvenv.cfg that it found), gh-126987."""
    repeats: bool
    """Whether ``site`` processes a virtual environment's directories a second time with the other prefixes
    (gh-75723), and each spelling as often as it comes."""


ROWS = (
    Rule((3, 0), "tokens", "resolved", None, False, False, "site", True),
    Rule((3, 9), "tokens", "resolved", None, False, True, "site", True),
    Rule((3, 11), "partition", "unresolved", 1 << 15, True, True, "site", True),
    Rule((3, 14), "partition", "unresolved", 1 << 15, True, True, "getpath", True),
    Rule((3, 15), "partition", "unresolved", 1 << 15, True, True, "getpath", False),
)


def rule_for(minor: tuple[int, int]) -> Rule:
    """The row that a version falls in."""
    return next((rule for rule in reversed(ROWS) if rule.since <= minor), ROWS[0])
