"""Applies a policy to findings: severities, what is switched off, waivers and the baseline.

Nothing is left out: what does not count is marked with the reason why, and counted in every report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from envcheck.model.finding import Finding
from envcheck.model.policy import Expected, Lapsed, Policy, Waiver
from envcheck.model.printable import printable
from envcheck.model.startup import StartupEntry

NEVER_WAIVED = frozenset({"scan-incomplete", "waiver-expired"})
"""What was not read has no content that could be accepted; a waiver of a lapsed waiver would outlive them all."""


def decide(findings: Iterable[Finding], policy: Policy, today: str) -> tuple[list[Finding], list[Lapsed]]:
    """The findings with the severities that hold and reasons where they do not count; waivers that have lapsed."""
    decided, lapsed = [], []
    for finding in findings:
        finding = _with_severity(finding, policy)
        reason, why_not = _accepted(finding, policy, today)
        lapsed += why_not if reason is None else []
        decided.append(finding if reason is None else finding._replace(waived=reason))
    return decided, lapsed


def _with_severity(finding: Finding, policy: Policy) -> Finding:
    chosen = policy.severities.get(finding.rule, finding.severity)
    return finding._replace(severity=max(chosen, policy.raised.get(finding.rule, chosen)))


def _accepted(finding: Finding, policy: Policy, today: str) -> tuple[str | None, list[Lapsed]]:
    """Why the finding does not count, or which waivers of it do not hold."""
    if finding.rule in NEVER_WAIVED:
        return None, []
    lapsed = []
    for waiver in policy.waivers:
        if not names(waiver, finding):
            continue
        if finding.content is None or waiver.sha256 != finding.content:
            lapsed.append(Lapsed(waiver, "what it accepted has changed", finding.path))
        elif waiver.expires < today:
            lapsed.append(Lapsed(waiver, f"it held until {waiver.expires}", finding.path))
        else:
            return waiver.reason, []
    baseline = policy.baseline
    if baseline is not None and finding.content and (finding.fingerprint, finding.content) in baseline.findings:
        return "in the baseline", []
    if finding.rule in policy.off:
        return f"switched off: {policy.off[finding.rule]}", []
    return None, lapsed


def names(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is about a finding, whatever its content."""
    if waiver.rule != finding.rule:
        return False
    if waiver.path is not None:
        return finding.place is not None and fnmatchcase(printable(finding.place), waiver.path)
    if waiver.owner is not None:
        evidence = dict(finding.evidence)
        return waiver.owner in (evidence.get("owner"), evidence.get("name"))
    return finding.place is None


def is_expected(entry: StartupEntry, place: str, content: str | None, policy: Policy) -> bool:
    """Whether a team knows of this startup code."""
    if policy.baseline is not None and content is not None and content in policy.baseline.startup:
        return True
    return any(_fits(one, entry, place, content) for one in policy.expected or ())


def _fits(one: Expected, entry: StartupEntry, place: str, content: str | None) -> bool:
    if one.sha256 is not None and one.sha256 != content:
        return False
    if one.path is not None and not fnmatchcase(printable(place), one.path):
        return False
    # A name that nothing vouches for is anybody's: a claim that the bytes contradict is none.
    if one.owner is not None:
        return entry.owner is not None and entry.owner.name == one.owner and entry.assurance != "modified"
    return True


def new_entries(
    entries: Sequence[tuple[StartupEntry, str, str | None]], policy: Policy
) -> tuple[tuple[StartupEntry, str | None], ...]:
    """Entries (with place and content) that run and that nobody expects; none where nothing says what is expected."""
    if policy.expected is None and policy.baseline is None:
        return ()
    return tuple(
        (entry, content)
        for entry, place, content in entries
        if entry.runs and not is_expected(entry, place, content, policy)
    )
