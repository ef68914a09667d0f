"""Checks for what is known from attacks, by content, name, release or text."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check, finding
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity

_HOW = {
    "content": "Its content is that of {}.",
    "name": "Its name is that of a file of {}; its content may be another.",
    "path": "Its path is one of {}.",
    "release": "This release is {}.",
    "text": "The code that runs has a text of {}.",
}
_UNSURE = ("name", "path")
"""What anyone may use: as grave as the attack only where the content agrees."""


@check(
    Rule(
        id="known-malicious",
        severity=Severity.CRITICAL,
        summary="A file or release is one that is known from an attack.",
        why="Its content, name, version or text was published as an indicator of an attack, or you named it as one "
        "(--indicators). What such code could read must be taken for stolen.",
        remedy="keep a copy for evidence first; then rebuild the machine or container from a known state, not only the "
        "environment, and rotate every credential that this user could read",
        example="litellm 1.82.8, whose litellm_init.pth ran at every start of Python",
    )
)
def known_malicious(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding for each place and way it was recognised."""
    for hit in facts.malicious:
        yield finding(
            facts,
            rule,
            message=_HOW[hit.how].format(hit.what),
            path=hit.path,
            line=hit.line,
            owner=hit.owner,
            subject=hit.sha256 or hit.what,
            severity=Severity.HIGH if hit.how in _UNSURE else None,
            evidence=(("matched", hit.how), ("attack", hit.what), ("sha256", hit.sha256)),
        )


CHECKS = (known_malicious,)
