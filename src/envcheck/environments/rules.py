"""What each CPython does between its executable's path and the site directories: a row a change.

Sources: ``Modules/getpath.c`` (to 3.10), ``Modules/getpath.py`` (from 3.11) and ``Lib/site.py`` of each version. Where
two releases stand between the last seen without a change and the first seen with it, the row says so.
"""

from envcheck.model.nouns import Literal, NamedTuple


class Rule(NamedTuple):
    """The behaviour from one release on, until the next row."""

    since: tuple[int, int, int]
    configured_by: Literal["getpath.c", "getpath.py"] = "getpath.c"
    """Which path configuration: it decides where ``pyvenv.cfg`` is looked for, how ``home`` is spelt, what
    ``pybuilddir.txt`` does, whether a zip marks a prefix, and whether ``<executable>._pth`` exists on POSIX."""
    cfg_bound: int | None = None
    """Bytes from which on a file of the path configuration ends the start: getpath.py reads less than 32 KiB."""
    platlibdir: bool = False
    """Whether PYTHONPLATLIBDIR is read, and ``lib`` is a site library directory besides a different platlibdir."""
    build_landmark: bool = True
    """Whether ``Modules/Setup.local`` beside the executable makes it a build tree (gh-151544 removed that)."""
    prefix_by: Literal["site", "getpath"] = "site"
    """Who makes the virtual environment ``sys.prefix``: ``site`` (parent of the executable's directory) or the path
    configuration (the directory of the pyvenv.cfg that it found), gh-126987."""
    home_resolved: bool = False
    """Whether the link-resolved executable counts before ``home``, where a library stands above it (gh-106045)."""
    own_dynload: bool = False
    """Whether the prefix's own ``lib-dynload`` is looked at before those nearer to the executable."""
    beside_library: bool = False
    """Whether the path of the shared libpython counts on POSIX (gh-127970)."""
    repeats: bool = True
    """Whether ``site`` processes a virtual environment's directories a second time with the other prefixes
    (gh-75723), and each spelling as often as it comes."""
    path_file_ends_user_site: bool = False
    """Whether a ``._pth`` switches the user site off; before 3.15 it does not, though it means isolation."""


_GETPATH_C = Rule((3, 0, 0))
_PLATLIBDIR = _GETPATH_C._replace(since=(3, 9, 0), platlibdir=True)
_GETPATH_PY = _PLATLIBDIR._replace(since=(3, 11, 0), configured_by="getpath.py", cfg_bound=1 << 15)
_PREFIX_BY_GETPATH = _GETPATH_PY._replace(since=(3, 14, 0), prefix_by="getpath", own_dynload=True, beside_library=True)
_NO_LANDMARK = _PREFIX_BY_GETPATH._replace(since=(3, 14, 7), build_landmark=False)
_HOME_RESOLVED = _NO_LANDMARK._replace(since=(3, 14, 10), home_resolved=True)

ROWS = (
    _GETPATH_C,
    _PLATLIBDIR,
    _GETPATH_PY,
    # By the dates of the change (2026-06-22) and of the releases around it.
    _GETPATH_PY._replace(since=(3, 13, 15), build_landmark=False),
    _PREFIX_BY_GETPATH,
    _NO_LANDMARK,
    # Seen in 3.14.10; 3.14.8 and 3.14.9 were not.
    _HOME_RESOLVED,
    _HOME_RESOLVED._replace(since=(3, 15, 0), repeats=False, path_file_ends_user_site=True),
)


def rule_for(minor: tuple[int, int], patch: int | None = None) -> Rule:
    """The row that a release falls in; the branch's newest where the patch level is not known."""
    release = (*minor, 1 << 16 if patch is None else patch)
    return next((rule for rule in reversed(ROWS) if rule.since <= release), ROWS[0])


def sides_of(minor: tuple[int, int]) -> tuple[tuple[int, Rule], ...]:
    """The rows that the releases of a branch fall in, each with the first patch level that does."""
    patches = [0, *(rule.since[2] for rule in ROWS if rule.since[:2] == minor and rule.since[2])]
    return tuple((patch, rule_for(minor, patch)) for patch in patches)
