"""Checks of the comparison with the lock: what differs, and what the lock itself is not good for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.checks.base import Check, check, finding
from envcheck.checks.repair import removal, repair
from envcheck.model.facts import Facts
from envcheck.model.finding import Evidence, Finding, Rule, Severity
from envcheck.model.lock import Comparison, Drift, LockChoice, LockProblem

_EXAMPLES = 3
_LISTED = 50


@check(
    Rule(
        id="lock-version",
        severity=Severity.MEDIUM,
        summary="An installed distribution has another version than the lock says.",
        why="What was reviewed and locked is not what runs: an update past the lock, a downgrade to a version with a "
        "known hole, or a replacement.",
        remedy="install what the lock says, or lock again when the other version is intended",
        example="requests 2.19.0 is installed where uv.lock says 2.32.4",
    )
)
def lock_version(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a distribution."""
    for comparison, drift in _drifts(facts, "version"):
        locked = drift.locked or "another version"
        clause = f": {drift.detail}" if drift.detail else ""
        yield _drifted(
            facts,
            rule,
            comparison,
            drift,
            message=f"{drift.name} {drift.installed} is installed, {_name(comparison.lock)} says {locked}{clause}.",
            remedy=repair(comparison.lock),
        )


@check(
    Rule(
        id="lock-missing",
        severity=Severity.MEDIUM,
        summary="A package that the lock asks for is not installed.",
        why="The environment is not the one that was tested; a check or a fallback that relies on the package may be "
        "skipped without a word.",
        remedy="install what the lock says",
        example="certifi 2026.1.4 is in uv.lock and is not installed",
    )
)
def lock_missing(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a package."""
    for comparison, drift in _drifts(facts, "missing"):
        shown = f"{drift.name} {drift.locked}" if drift.locked else drift.name
        shared = facts.environment.cfg is not None and facts.environment.cfg.include_system_site
        clause = " in this environment itself; it sees the base's packages too" if shared else ""
        yield _drifted(
            facts,
            rule,
            comparison,
            drift,
            message=f"{shown} is in {_name(comparison.lock)} and is not installed{clause}.",
            remedy=repair(comparison.lock),
        )


@check(
    Rule(
        id="lock-extra",
        severity=Severity.MEDIUM,
        summary="A distribution is installed that the lock does not ask for.",
        why="Nobody reviewed it for this project. A name one letter away from a known one is how look-alike packages "
        "get in.",
        remedy="find out who installed it and why; then remove it, lock it, or name it with --ignore",
        example="colourama 0.1.6 is installed and not in uv.lock; one letter from colorama",
    )
)
def lock_extra(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a distribution."""
    for comparison, drift in _drifts(facts, "extra"):
        message = f"{drift.name} {drift.installed} is installed, but not in {_name(comparison.lock)}."
        if drift.detail:
            message = f"{drift.name} {drift.installed} is installed: {drift.detail}."
        if drift.near:
            message += f" One letter from {drift.near}."
        yield _drifted(facts, rule, comparison, drift, message=message, remedy=removal(comparison.lock, drift.name))


@check(
    Rule(
        id="lock-source",
        severity=Severity.MEDIUM,
        summary="A distribution comes from somewhere else than the lock says.",
        why="Name and version agree and the code need not: another repository, commit, directory or archive can hold "
        "anything under the same name.",
        remedy="install what the lock says, or lock again when the other source is intended",
        example="shop 0.1.0 comes from file:///tmp/shop (editable) where uv.lock says an index",
    )
)
def lock_source(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a distribution."""
    for comparison, drift in _drifts(facts, "source"):
        yield _drifted(
            facts,
            rule,
            comparison,
            drift,
            message=f"{drift.name} {drift.installed}: {drift.detail or 'from another source than the lock says'}.",
            remedy=repair(comparison.lock),
        )


@check(
    Rule(
        id="lock-unreadable-entry",
        severity=Severity.MEDIUM,
        summary="A line or entry of the lock could not be read.",
        why="What it asks for was not compared; an installer may read it otherwise than it looks.",
        remedy="rewrite the line, or lock again with the tool that wrote the file",
        example="requirements.txt:12: the option '--frobnicate' is not one that envcheck knows",
    )
)
def lock_unreadable_entry(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an entry: each may hide another package."""
    yield from each_problem(facts, rule)


@check(
    Rule(
        id="lock-unhashed",
        severity=Severity.LOW,
        summary="The lock has no hash for some of its archives.",
        why="Nothing says that the archive that is installed tomorrow is the one that was locked; and nothing that is "
        "installed can be proven by the lock.",
        remedy="lock with hashes: uv lock, uv pip compile --generate-hashes, or pip-compile --generate-hashes",
        example="requirements.txt: no hash for 61 packages",
    )
)
def lock_unhashed(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a lock."""
    yield from together(facts, rule, "no hash for {count}")


@check(
    Rule(
        id="lock-weak-hash",
        severity=Severity.LOW,
        summary="The lock has only a weak or malformed hash for some of its archives.",
        why="Another archive can be made that has the same md5 or sha1; a digest of the wrong length proves nothing.",
        remedy="lock again against an index that gives sha256 hashes",
        example="requirements.txt: only md5 for legacy 1.0",
    )
)
def lock_weak_hash(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a lock."""
    yield from together(facts, rule, "only a weak or malformed hash for {count}")


@check(
    Rule(
        id="lock-insecure-source",
        severity=Severity.MEDIUM,
        summary="The lock takes an archive from where it can be changed, or under a name that is not its own.",
        why="What is fetched without encryption can be replaced on the way; an archive of another project or version "
        "installs something else than the lock says.",
        remedy="use an https index, and lock again; look at how the entry got into the lock",
        example="uv.lock: requests 2.32.4: 'requestz-2.32.4-py3-none-any.whl' is a wheel of another project",
    )
)
def lock_insecure_source(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an entry, one a host."""
    yield from each_problem(facts, rule)


@check(
    Rule(
        id="lock-mutable-reference",
        severity=Severity.LOW,
        summary="The lock names a branch, tag or short commit where only a full commit stays what it is.",
        why="Whoever may push to the repository decides what the next install gets.",
        remedy="name the full commit",
        example="shop @ git+https://code.example/shop@main",
    )
)
def lock_mutable_reference(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an entry."""
    yield from each_problem(facts, rule)


@check(
    Rule(
        id="lock-path-outside",
        severity=Severity.INFO,
        summary="The lock takes a package from a directory outside of its own (../).",
        why="What stands there is not what a review of the lock's repository has seen, and no hash pins it. In a "
        "repository of several projects it is ordinary.",
        remedy="see that the directory is part of the same repository",
        example="-e ../shared",
    )
)
def lock_path_outside(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an entry."""
    yield from each_problem(facts, rule)


CHECKS: tuple[Check, ...] = (
    lock_version,
    lock_missing,
    lock_extra,
    lock_source,
    lock_unreadable_entry,
    lock_unhashed,
    lock_weak_hash,
    lock_insecure_source,
    lock_mutable_reference,
    lock_path_outside,
)


def _name(lock: LockChoice) -> str:
    return lock.path.rsplit("/", 1)[-1]


def _drifts(facts: Facts, state: str) -> Iterator[tuple[Comparison, Drift]]:
    comparison = facts.comparison
    if comparison is not None:
        yield from ((comparison, drift) for drift in comparison.drifts if drift.state == state)


def _drifted(facts: Facts, rule: Rule, comparison: Comparison, drift: Drift, *, message: str, remedy: str) -> Finding:
    """A finding about one distribution. Its directory's name holds the version, so it is no part of the fingerprint."""
    evidence: tuple[tuple[str, Evidence], ...] = (
        ("name", drift.name),
        ("installed", drift.installed),
        ("locked", drift.locked),
        ("lock", comparison.lock.path),
    )
    made = finding(facts, rule, message=message, subject=drift.name, evidence=evidence, remedy=remedy)
    return made._replace(path=drift.path if drift.path is not None else comparison.lock.path)


def _problems(facts: Facts, rule: Rule) -> list[LockProblem]:
    if facts.comparison is None:
        return []
    return [problem for problem in facts.comparison.problems if problem.rule == rule.id]


def each_problem(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """A finding for every problem of the lock."""
    for problem in _problems(facts, rule):
        # What stands behind the place, which a fingerprint must not hold.
        subject = problem.name or problem.message.partition(": ")[2] or problem.message
        yield _in_lock(facts, rule, problem.message, subject, problem.where, [problem.message], problem.remedy)


def together(facts: Facts, rule: Rule, text: str) -> Iterator[Finding]:
    """One finding for all problems of a kind, with a count and examples."""
    problems = _problems(facts, rule)
    if len(problems) == 1:
        yield from each_problem(facts, rule)
    elif problems:
        names = list(dict.fromkeys(problem.name or problem.where for problem in problems))
        more = ", …" if len(names) > _EXAMPLES else ""
        counted = f"{len(names)} packages ({', '.join(names[:_EXAMPLES])}{more})"
        messages = [problem.message for problem in problems[:_LISTED]]
        first = problems[0]
        yield _in_lock(facts, rule, text.format(count=counted), rule.id, first.where, messages, first.remedy)


def _in_lock(
    facts: Facts, rule: Rule, message: str, subject: str, where: str, messages: Sequence[str], remedy: str | None = None
) -> Finding:
    """A finding at a place in the lock, which is no path of the environment."""
    assert facts.comparison is not None
    lock = facts.comparison.lock
    text = message if message.startswith(_name(lock)) else f"{_name(lock)}: {message}"
    made = finding(
        facts,
        rule,
        message=text if text.endswith(".") else text + ".",
        subject=subject,
        evidence=(("where", where), ("entries", messages)),
        remedy=remedy,
    )
    return made._replace(path=lock.path, line=_line(where))


def _line(where: str) -> int | None:
    """The line number of a place that begins with one (a place in an included file does not)."""
    number = where.removeprefix("line ")
    return int(number) if where.startswith("line ") and number.isdecimal() else None
