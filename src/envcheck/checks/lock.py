"""Checks of what a lock means for this environment: its age, what it builds, what was built, how new it is."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import Check, check
from envcheck.checks.drift import each_problem, together
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, Rule, Severity


@check(
    Rule(
        id="lock-stale",
        severity=Severity.LOW,
        summary="The project asks for something else than was locked.",
        why="Some installers lock again without a word and take what is newest; others install what nobody asks for "
        "any more.",
        remedy="lock again, and review what changes",
        example="uv.lock is older than pyproject.toml: they differ in requests",
    )
)
def lock_stale(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a lock."""
    yield from each_problem(facts, rule)


@check(
    Rule(
        id="lock-not-for-target",
        severity=Severity.MEDIUM,
        summary="The lock was not made for this Python or platform.",
        why="Its own installer would refuse this environment: what is here was not installed from it, or not by it.",
        remedy="compare with the lock of this environment, or lock again for this Python",
        example="uv.lock is for Python >=3.12, this is 3.9.18",
    )
)
def lock_not_for_target(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a limit."""
    yield from each_problem(facts, rule)


@check(
    Rule(
        id="lock-sdist",
        severity=Severity.LOW,
        summary="Installing a locked package here runs its build code.",
        why="A package without a wheel for this target, or that a setting has built all the same, runs setup.py or a "
        "build backend, and what that needs, with the rights of whoever installs; a scan afterwards cannot see what it "
        "did.",
        remedy="forbid builds and exempt these by name: envcheck lock prints the settings",
        example="docopt: has no wheel: its archive's build code runs",
    )
)
def lock_sdist(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a lock."""
    yield from together(facts, rule, "installing runs the build code of {count}")


@check(
    Rule(
        id="built-locally",
        severity=Severity.INFO,
        summary="An installed distribution was built on this machine.",
        why="No lock holds a hash of a wheel that was built here: its files can only be compared with its own RECORD.",
        remedy="install from a wheel that the lock has, where there is one",
        example="docopt 0.6.2 was built on this machine, not taken from a wheel",
    )
)
def built_locally(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a lock."""
    yield from together(facts, rule, "{count} were built on this machine")


@check(
    Rule(
        id="lock-too-new",
        severity=Severity.LOW,
        summary="A locked archive is younger than the cooldown, or its age is not known.",
        why="Malicious releases are mostly found within days: who waits does not install them. An archive added to a "
        "version long after its first is how an old version is poisoned.",
        remedy='lock again with a limit, such as exclude-newer = "7 days" under [tool.uv], or wait',
        example="requests 2.32.4: requests-2.32.4-py3-none-any.whl was uploaded 2 days ago, within the cooldown of 7",
    )
)
def lock_too_new(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an archive."""
    yield from each_problem(facts, rule)


CHECKS: tuple[Check, ...] = (lock_stale, lock_not_for_target, lock_sdist, built_locally, lock_too_new)
