"""Findings into an exit code (the contract of the command line)."""

from __future__ import annotations

from collections.abc import Iterable

from envcheck.model.finding import Finding, Severity

CLEAN, FOUND, USAGE, INCOMPLETE = 0, 1, 2, 3

DRIFT_AND_INTEGRITY = ("lock-", "file-", "record-", "bytecode-", "script-", "archive-", "anchors-", "built-")
"""Families that `verify` judges by a lower threshold of their own."""
_ALSO = frozenset({"unanchored", "metadata-inconsistent", "distribution-duplicate", "known-malicious"})


def exit_code(
    findings: Iterable[Finding],
    complete: bool,
    clean_room: bool,
    fail_on: Severity | None,
    fail_on_drift: Severity | None = None,
    allow_self: bool = True,
) -> int:
    """1 for findings at or above their threshold, else 3 for an incomplete scan, else 0.

    Waived findings do not count; a threshold of ``None`` means never. Where ``allow_self`` is off, a scan by a process
    that belongs to the target is as good as incomplete.
    """
    if any(fails(finding, fail_on, fail_on_drift) for finding in findings):
        return FOUND
    if not complete or not (clean_room or allow_self):
        return INCOMPLETE
    return CLEAN


def fails(finding: Finding, fail_on: Severity | None, fail_on_drift: Severity | None = None) -> bool:
    """Whether this finding alone makes the run fail."""
    if finding.waived is not None:
        return False
    if fail_on is not None and finding.severity >= fail_on:
        return True
    return fail_on_drift is not None and finding.severity >= fail_on_drift and is_drift_or_integrity(finding.rule)


def is_drift_or_integrity(rule: str) -> bool:
    """Whether a rule belongs to the families that `verify` judges by the lower threshold."""
    return rule.startswith(DRIFT_AND_INTEGRITY) or rule in _ALSO
