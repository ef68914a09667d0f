"""What each CPython release does at startup: a row for each change, and the rules of one version made from them.

A new CPython is a new row. The sources are PEPs and CPython issues; `docs/startup.md` says how each was tested.
"""

from collections.abc import Iterable

from envcheck.model.environment import Python
from envcheck.model.nouns import Literal, NamedTuple

RuleName = Literal[
    "hidden_skipped",
    "utf8_first",
    "wide_lines",
    "locale_despite_utf8_mode",
    "blank_skipped",
    "lines_stripped",
    "file_survives_error",
    "collected_first",
    "start_files",
    "directory_once",
    "startup_frozen",
    "names_apart",
]
Release = tuple[int, int, int]


class Row(NamedTuple):
    """One change: the first release of each branch that has it. Later branches all have it."""

    name: RuleName
    since: tuple[Release, ...]
    source: str
    what: str


ROWS: tuple[Row, ...] = (
    Row(
        "hidden_skipped",
        ((3, 8, 19), (3, 9, 19), (3, 10, 14), (3, 11, 8), (3, 12, 2), (3, 13, 0)),
        "gh-113659 (PR 113660)",
        "a .pth whose name begins with a dot, or that has the hidden attribute, is skipped",
    ),
    Row(
        "utf8_first",
        ((3, 12, 4), (3, 13, 0)),
        "gh-77102 (PR 117802, in 3.12 PR 117917), gh-119496 (PR 119503)",
        "a .pth is decoded whole as UTF-8, a byte order mark removed, and by the locale only where that fails",
    ),
    Row(
        "wide_lines",
        ((3, 12, 4), (3, 13, 0)),
        "gh-77102 (PR 117802, in 3.12 PR 117917)",
        "lines end as str.splitlines says: at VT, FF, FS, GS, RS, NEL, LS and PS too",
    ),
    Row(
        "locale_despite_utf8_mode",
        ((3, 11, 0),),
        "gh-91156 (bpo-47000, PR 70056)",
        "the locale's own encoding decodes a .pth, also in UTF-8 mode",
    ),
    Row("blank_skipped", ((3, 10, 0),), "bpo-33689 (PR 20679)", "a line of blanks is skipped"),
    Row(
        "lines_stripped",
        ((3, 15, 0),),
        "PEP 829",
        "lines are stripped on both sides before they are classified: leading blanks do not protect",
    ),
    Row("file_survives_error", ((3, 15, 0),), "PEP 829", "after an import line that fails the file goes on"),
    Row(
        "collected_first",
        ((3, 15, 0),),
        "PEP 829",
        "the path lines of all site directories are applied before the first import line runs",
    ),
    Row("start_files", ((3, 15, 0),), "PEP 829", "entry points of .start files are called"),
    Row(
        "directory_once",
        ((3, 15, 0),),
        "gh-75723 (PR 149583)",
        "a site directory is processed once; before, a venv's own are processed twice",
    ),
    Row("names_apart", ((3, 13, 0),), "PEP 667", "an import line does not see the names that earlier ones bound"),
    Row(
        "startup_frozen",
        ((3, 11, 0),),
        "gh-89183 (bpo-45020)",
        "site, os and what they import are frozen into the interpreter",
    ),
)
NEWEST = (3, 15)
OLDEST = (3, 8)


class Rules(NamedTuple):
    """What one release does; the fields are the names of the rows."""

    minor: tuple[int, int]
    when: str | None
    """The releases that these rules stand for, where the patch level is not known (``Python 3.12.4 or later``)."""
    hidden_skipped: bool
    utf8_first: bool
    wide_lines: bool
    locale_despite_utf8_mode: bool
    blank_skipped: bool
    lines_stripped: bool
    file_survives_error: bool
    collected_first: bool
    start_files: bool
    directory_once: bool
    startup_frozen: bool
    names_apart: bool


def holds(row: Row, release: Release) -> bool:
    """Whether a release has a row's change."""
    for since in row.since:
        if since[:2] == release[:2]:
            return release >= since
    return release[:2] > min(row.since)[:2]


def row(name: RuleName) -> Row:
    """The row of that name."""
    return next(found for found in ROWS if found.name == name)


def source(name: RuleName) -> str:
    """The PEP or issue that a rule comes from."""
    return row(name).source


def rules_of(release: Release, when: str | None = None) -> Rules:
    """The rules of one release."""
    return Rules(release[:2], when, **{found.name: holds(found, release) for found in ROWS})


def rules_for(python: Python, more: Iterable[int] = ()) -> tuple[Rules, ...]:
    """The rules of an interpreter, or of each side of every boundary where its patch level is not known.

    ``more`` are patch levels at which something else than these rules changes.
    """
    return tuple(rules for _, rules in sides_for(python, more))


def sides_for(python: Python, more: Iterable[int] = ()) -> tuple[tuple[int, Rules], ...]:
    """The same, each with the first patch level that it stands for."""
    minor = python.minor
    if python.patch is not None:
        return ((python.patch, rules_of((*minor, python.patch))),)
    boundaries = sorted({since[2] for found in ROWS for since in found.since if since[:2] == minor} | {0, *more})
    if len(boundaries) == 1:
        return ((0, rules_of((*minor, 0))),)
    version = f"{minor[0]}.{minor[1]}"
    sides = []
    for index, patch in enumerate(boundaries):
        if index + 1 == len(boundaries):
            when = f"Python {version}.{patch} or later"
        else:
            when = f"Python before {version}.{boundaries[index + 1]}"
            if patch:
                when = f"Python {version}.{patch} to {version}.{boundaries[index + 1] - 1}"
        sides.append((patch, rules_of((*minor, patch), when)))
    return tuple(sides)
