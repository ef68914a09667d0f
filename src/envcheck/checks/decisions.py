"""Checks of what a team decided: waivers that do not hold any more, startup code that nobody expects."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check, finding
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity


@check(
    Rule(
        id="startup-entry-new",
        severity=Severity.HIGH,
        summary="Startup code that is neither in the baseline nor expected runs.",
        why="A package, or somebody else, put new code where it runs at every start; a team that keeps a list of such "
        "code wants to see each before it is accepted.",
        remedy="look at what it does and who owns it; accept it with envcheck baseline update, or remove it",
        example="a release of a dependency that brings a .pth file",
    )
)
def startup_entry_new(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One for each entry that runs and is not on the list."""
    for entry, content in facts.new_entries:
        owner = entry.owner.name if entry.owner else None
        yield finding(
            facts,
            rule,
            message=f"Runs at startup, put there by {owner or 'nobody known'}, and is not on the list of what is "
            "expected.",
            path=entry.path,
            line=entry.line,
            owner=owner,
            subject=content,
            evidence=(("code", entry.code), ("sha256", entry.sha256), ("owner", owner)),
        )


@check(
    Rule(
        id="waiver-expired",
        severity=Severity.LOW,
        summary="A waiver names a finding and does not hold any more.",
        why="What was accepted has changed, or the day until which it was accepted has passed: somebody should decide "
        "again, and until then the finding counts.",
        remedy="look at the finding again; write a new waiver for it, or remove this one",
        example="waivers[2]: what it accepted has changed",
    )
)
def waiver_expired(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One for each waiver and finding."""
    for lapsed in facts.lapsed:
        yield finding(
            facts,
            rule,
            message=f"The waiver of {lapsed.waiver.rule} at {lapsed.waiver.where} does not hold: {lapsed.why}.",
            path=lapsed.place,
            owner=lapsed.waiver.rule,
            subject=lapsed.waiver.sha256,
            evidence=(("rule", lapsed.waiver.rule), ("reason", lapsed.waiver.reason), ("why", lapsed.why)),
        )


CHECKS = (startup_entry_new, waiver_expired)
