"""The exit code: findings first, then completeness, then clean."""

from __future__ import annotations

import pytest

from envcheck.model.finding import Finding, Severity
from envcheck.policy.outcome import exit_code, is_drift_or_integrity


def finding(severity: Severity, rule: str = "startup-code-unowned", waived: str | None = None) -> Finding:
    return Finding(rule, severity, "", None, None, "", "", waived=waived)


@pytest.mark.parametrize(
    ("found", "complete", "expected"),
    [
        ([], True, 0),
        ([], False, 3),
        ([Severity.MEDIUM], True, 0),
        ([Severity.MEDIUM], False, 3),
        ([Severity.HIGH], False, 1),
    ],
)
def test_findings_weigh_more_than_an_incomplete_scan(found: list[Severity], complete: bool, expected: int) -> None:
    assert exit_code([finding(s) for s in found], complete, True, Severity.HIGH) == expected


def test_never_means_never() -> None:
    assert exit_code([finding(Severity.CRITICAL)], True, True, None) == 0


def test_a_waived_finding_does_not_count() -> None:
    assert exit_code([finding(Severity.CRITICAL, waived="accepted")], True, True, Severity.INFO) == 0


def test_verify_judges_drift_and_integrity_by_a_lower_threshold() -> None:
    low = [finding(Severity.LOW, "lock-extra")]
    assert exit_code(low, True, True, Severity.HIGH, Severity.LOW) == 1
    assert exit_code([finding(Severity.LOW, "venv-system-site")], True, True, Severity.HIGH, Severity.LOW) == 0
    assert exit_code([finding(Severity.INFO, "unanchored")], True, True, Severity.HIGH, Severity.LOW) == 0


def test_verify_does_not_let_a_scan_pass_that_is_no_independent_witness() -> None:
    assert exit_code([], True, False, Severity.HIGH, allow_self=False) == 3
    assert exit_code([], True, False, Severity.HIGH, allow_self=True) == 0


@pytest.mark.parametrize("rule", ["lock-version", "file-modified", "metadata-inconsistent", "script-unowned"])
def test_drift_and_integrity_rules_are_known_by_their_family(rule: str) -> None:
    assert is_drift_or_integrity(rule)
    assert not is_drift_or_integrity("startup-shadowed")
