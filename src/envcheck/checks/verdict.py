"""The verdict on one startup entry: provenance first, then what it loads; one table that a reader can predict."""

from __future__ import annotations

from envcheck.model.bytecode import Proof
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

    So is bytecode that runs in place of its source, unless compiling the source again proved that it comes from there.

    An import that no file answers loads nothing: it is listed, and weighs nothing where all else is accounted for.
    """
    found = [TABLE[entry.assurance]]
    if entry.line is None and entry.loads is not None and entry.loads != entry.path and not _is_proven(entry.proof):
        found.append("unproven")
    for file in entry.closure:
        found.append("unproven" if file.assurance is None else TABLE[file.assurance])
        if file.loads is not None and not _is_proven(file.proof):
            found.append("unproven")
    worst = max(found, key=_ORDER.index)
    # PYTHONSTARTUP names a file of the user's own, which no package accounts for.
    return "unproven" if entry.kind == "pythonstartup" and worst == "unexpected" else worst


def _is_proven(proof: Proof | None) -> bool:
    return proof is not None and proof.result == "proven"
