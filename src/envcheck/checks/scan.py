"""Checks of the scan itself: what it did not see, and whether a payload could have answered in its place."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check, finding
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity


@check(
    Rule(
        id="scan-incomplete",
        severity=Severity.MEDIUM,
        summary="Something that matters could not be read.",
        why="What was not seen was not checked; a clean report of the rest says nothing about it.",
        remedy="run envcheck as a user that may read the named paths, or look at them by hand",
        example="site-packages/private: permission denied",
    )
)
def scan_incomplete(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding over everything that could not be read."""
    if facts.not_seen:
        first = facts.not_seen[0]
        more = f", and {len(facts.not_seen) - 1} more" if len(facts.not_seen) > 1 else ""
        yield finding(
            facts,
            rule,
            message=f"Not seen: {first.path} ({first.why}){more}.",
            path=first.path,
            subject="not-seen",
            evidence=(("count", len(facts.not_seen)), ("paths", [missed.path for missed in facts.not_seen[:20]])),
        )


@check(
    Rule(
        id="scan-not-clean-room",
        severity=Severity.MEDIUM,
        summary="envcheck itself, or the Python that runs it, belongs to what it scans.",
        why="Code planted in the environment could have changed envcheck or its interpreter, and answer in its place.",
        remedy="install envcheck in an environment of its own, with an interpreter that you trust, and scan from there",
        example="envcheck installed in the .venv that it scans",
    )
)
def scan_not_clean_room(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Own code, interpreter or standard library inside the target."""
    if not facts.clean_room:
        yield finding(
            facts,
            rule,
            message=f"This scan is no independent witness: {facts.clean_room_why}.",
            path=facts.environment.path,
            subject="clean-room",
        )


CHECKS = (scan_incomplete, scan_not_clean_room)
