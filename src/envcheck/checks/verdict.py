"""The verdict on one startup entry: provenance first, then what it loads; one table that a reader can predict."""

from __future__ import annotations

from envcheck.model.startup import StartupEntry, Verdict

TABLE: dict[str, Verdict] = {
    "anchored": "expected",
    "known": "expected",
    "recorded": "expected",
    "unrecorded": "unexpected",
    "modified": "hostile",
}
"""Assurance of the weakest file among the entry's own and those that it loads, to verdict."""

_ORDER: tuple[Verdict, ...] = ("expected", "unproven", "unexpected", "hostile")


def verdict(entry: StartupEntry) -> Verdict:
    """The worst of the entry's own file and of every file that it loads; a file that nobody looked up is ``unproven``.

    An import that no file answers loads nothing: it is listed, and weighs nothing where all else is accounted for.
    """
    worst: Verdict = TABLE[entry.assurance]
    for file in entry.closure:
        if file.assurance is not None:
            worst = max(worst, TABLE[file.assurance], key=_ORDER.index)
        else:
            worst = max(worst, "unproven", key=_ORDER.index)
    return worst
