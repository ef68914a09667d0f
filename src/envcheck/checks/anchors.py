"""Checks of what the lock's archive hashes prove: forged records, what nothing vouches for, odd archives."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import Check, check, finding
from envcheck.checks.integrity import deviations, grouped, owned_by, tell
from envcheck.model.anchor import REASONS, AnchorProblem, UnanchoredReason
from envcheck.model.facts import Facts
from envcheck.model.finding import Evidence, Finding, Rule, Severity
from envcheck.model.inventory import normalize_name

_EXAMPLES = 3
_LISTED = 500


@check(
    Rule(
        id="record-forged",
        severity=Severity.CRITICAL,
        summary="Files were changed and their RECORD was rewritten to match, or a whole distribution was exchanged.",
        why="RECORD and files agree with each other, but not with the wheel whose hash the lock has. No installer "
        "does that: somebody with write access changed both, so that a check against RECORD alone finds nothing.",
        remedy="keep a copy for evidence; then recreate the environment without caches (uv's cache may share the "
        "changed file), and rotate what this user could read",
        example="requests/sessions.py: RECORD was rewritten to match",
    )
)
def record_forged(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Files, rows and whole distributions that contradict the anchor."""
    for group in grouped(facts, deviations(facts, "forged", everywhere=True)):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"Differs from the wheel that the lock pins for {owned_by(first)}; {first.detail}.",
            f"{{count}} files differ from the wheel that the lock pins for {owned_by(first)}; RECORD was rewritten to "
            "match.",
        )
    for group in grouped(facts, deviations(facts, "forged-row", everywhere=True)):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"The RECORD of {owned_by(first)} lists this file, but {first.detail}.",
            f"The RECORD of {owned_by(first)} lists {{count}} files that the wheel which the lock pins does not have.",
        )
    for deviation in deviations(facts, "swapped", everywhere=True):
        message = f"{owned_by(deviation)} is another build than the lock pins: {deviation.detail}."
        yield tell(facts, rule, [deviation], message, "")
    for deviation in deviations(facts, "unlike-anchor", everywhere=True):
        message = (
            f"The files of {owned_by(deviation)}, or its RECORD, are not those of a wheel that the lock pins: "
            f"{deviation.detail}."
        )
        yield tell(facts, rule, [deviation], message, "")


@check(
    Rule(
        id="unanchored",
        severity=Severity.INFO,
        summary="Nothing in the lock vouches for the files of an installed distribution.",
        why="Its files can only be compared with its own RECORD, which whoever changes a file can rewrite. Under "
        "verify --require-anchors it is reported as medium.",
        remedy="name a directory that has the locked wheels (--wheels DIR), allow a download (--fetch), or commit an "
        "anchors file (envcheck anchor); --except NAME accepts a distribution that can have none",
        example="shop 0.1.0: installed as editable",
    )
)
def unanchored(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a reason, where anything is anchored or has to be; and why a wheel could not be had."""
    anchoring = facts.inventory.anchoring if facts.inventory is not None else None
    if anchoring is None or facts.comparison is None:
        return
    if anchoring.source == "none" and not anchoring.required:
        return
    by_reason: dict[UnanchoredReason, list[str]] = {}
    for one in anchoring.unanchored:
        if one.name not in anchoring.excepted:
            by_reason.setdefault(one.reason, []).append(f"{one.name} {one.version}")
    severity = Severity.MEDIUM if anchoring.required else None
    for reason in REASONS:
        names = by_reason.get(reason)
        if not names:
            continue
        listed = ", ".join(names[:_EXAMPLES]) + (", …" if len(names) > _EXAMPLES else "")
        subject = f"{len(names):,} distributions are" if len(names) > 1 else "A distribution is"
        evidence: tuple[tuple[str, Evidence], ...] = (
            ("reason", reason),
            ("count", len(names)),
            ("distributions", names[:_LISTED]),
        )
        yield finding(
            facts,
            rule,
            message=f"{subject} proven by nothing in the lock ({REASONS[reason]}): {listed}.",
            subject="\0".join((reason, *(name.partition(" ")[0] for name in names))),
            evidence=evidence,
            severity=severity,
        )
    yield from _each(facts, rule)


@check(
    Rule(
        id="archive-mismatch",
        severity=Severity.HIGH,
        summary="An archive that should be a locked one has another hash.",
        why="A file in a directory of wheels, or in an installer's cache, stands where a locked wheel should be, and "
        "is not that one. An installer that does not check hashes would install it.",
        remedy="find out where it came from; delete it, and fetch the archive again",
        example="requests-2.32.4-py3-none-any.whl is not the requests 2.32.4 that uv.lock names",
    )
)
def archive_mismatch(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an archive."""
    yield from _each(facts, rule)


@check(
    Rule(
        id="archive-hostile",
        severity=Severity.HIGH,
        summary="A locked wheel is built so that its content is not certain, or reaches outside.",
        why="Its local headers and its directory tell different things, members overlap, or names leave the directory "
        "that it is unpacked to: installers that read it in different ways install different files.",
        remedy="do not install it; report it to its index",
        example="demo-1.0-py3-none-any.whl: ../../evil.py (parent: names a place that no installer writes to)",
    )
)
def archive_hostile(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an archive."""
    yield from _each(facts, rule)


@check(
    Rule(
        id="archive-odd",
        severity=Severity.INFO,
        summary="A locked wheel is carelessly made; what it installs was compared all the same.",
        why="Rows of its own RECORD are wrong, weak, missing or double, names differ only in case, or a member is "
        "there twice: whoever checks the installed files against RECORD alone cannot tell that from an attack.",
        remedy="nothing; its maker may want to know",
        example="demo-1.0-py3-none-any.whl: demo/core.py (row: has another hash than its bytes)",
    )
)
def archive_odd(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding an archive."""
    yield from _each(facts, rule)


@check(
    Rule(
        id="anchors-invalid",
        severity=Severity.HIGH,
        summary="The anchors file, or a line of it, cannot be believed.",
        why="It is not of its format, names a wheel with a hash that the lock does not have, or has another digest "
        "than the wheel itself gives: it was changed by hand, or made from something else.",
        remedy="look at its history; then make it again: envcheck anchor",
        example="envcheck.anchors: demo-1.0-py3-none-any.whl has another hash than uv.lock has for it",
    )
)
def anchors_invalid(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a line."""
    yield from _each(facts, rule)


@check(
    Rule(
        id="anchors-stale",
        severity=Severity.LOW,
        summary="The anchors file is older than the lock.",
        why="It has wheels that the lock does not name any more, and may lack those that it names now.",
        remedy="make it again where the locked wheels are at hand (envcheck anchor), and commit it with the lock",
        example="envcheck.anchors has a wheel that uv.lock does not name any more",
    )
)
def anchors_stale(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """One finding a file."""
    yield from _each(facts, rule)


CHECKS: tuple[Check, ...] = (
    record_forged,
    archive_mismatch,
    archive_hostile,
    anchors_invalid,
    anchors_stale,
    unanchored,
    archive_odd,
)


def _each(facts: Facts, rule: Rule) -> Iterator[Finding]:
    anchoring = facts.inventory.anchoring if facts.inventory is not None else None
    for problem in anchoring.problems if anchoring is not None else ():
        if problem.rule == rule.id:
            yield _told(facts, rule, problem)


def _told(facts: Facts, rule: Rule, problem: AnchorProblem) -> Finding:
    """A finding about a file that lies outside the environment: its name, not its place, is in the fingerprint."""
    name = problem.path.rsplit("/", 1)[-1]
    evidence: list[tuple[str, Evidence]] = [(key, _evidence(value)) for key, value in problem.evidence]
    if problem.name:
        evidence.append(("name", normalize_name(problem.name)))
    subject = f"{name}\0{problem.name or ''}"
    made = finding(facts, rule, message=problem.message, subject=subject, evidence=tuple(evidence))
    return made._replace(path=problem.path or None, line=problem.line)


def _evidence(value: str | int | tuple[str, ...]) -> Evidence:
    return list(value) if isinstance(value, tuple) else value
