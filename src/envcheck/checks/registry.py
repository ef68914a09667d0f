"""The list of all checks. A startup-only scan loads only the families that it runs."""

from __future__ import annotations

from envcheck.checks.base import Check
from envcheck.model.finding import Rule


def startup_checks() -> tuple[Check, ...]:
    """What a startup-only scan runs."""
    from envcheck.checks import attacks, decisions, redirection, scan, startup, variables

    return (
        *attacks.CHECKS,
        *startup.CHECKS,
        *variables.CHECKS,
        *redirection.CHECKS,
        *decisions.CHECKS,
        *scan.CHECKS,
    )


def all_checks() -> tuple[Check, ...]:
    """What a whole scan runs."""
    from envcheck.checks import anchors, drift, integrity, interpreter, lock

    return (*startup_checks(), *anchors.CHECKS, *integrity.CHECKS, *interpreter.CHECKS, *drift.CHECKS, *lock.CHECKS)


def all_rules() -> tuple[Rule, ...]:
    """Every rule's metadata, by id."""
    return tuple(sorted((check.rule for check in all_checks()), key=lambda rule: rule.id))
