"""Integrity checks: files that differ from, are missing from, or are unknown to what claims them.

Many deviations of one kind in one place are one finding with a count and examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envcheck.checks.base import check, finding
from envcheck.installed.kinds import is_code
from envcheck.model.facts import Facts
from envcheck.model.finding import Evidence, Finding, Rule, Severity
from envcheck.model.inventory import Deviation, Problem
from envcheck.model.sha256 import sha256

EXAMPLES = 3
SINGLE = 4
"""Up to this many deviations of one kind under one top-level name are told one by one."""

_REINSTALL = (
    "look at what differs; if you did not change it yourself, keep a copy for evidence and recreate the environment "
    "without caches (uv's cache may share the changed file)"
)


def deviations(facts: Facts, *problems: Problem, everywhere: bool = False) -> list[Deviation]:
    """Those of the given kinds, in path order, less what a startup check already tells at its place.

    ``everywhere`` takes those too: for what a startup check does not tell.
    """
    if facts.inventory is None:
        return []
    told: set[str] = set() if everywhere else startup_paths(facts)
    return sorted(d for d in facts.inventory.deviations if d.problem in problems and d.path not in told)


def startup_paths(facts: Facts) -> set[str]:
    """Files of the plan that startup checks report with more to say than a file check has."""
    told: set[str] = set()
    for entry in facts.plan.entries:
        if entry.assurance in ("unrecorded", "modified"):
            told.add(entry.path)
        if entry.runs:
            told.update(file.path for file in entry.closure if file.assurance in ("unrecorded", "modified"))
    return told


def grouped(facts: Facts, found: Iterable[Deviation]) -> Iterator[list[Deviation]]:
    """Deviations told together: of one kind and one owner, below one top-level name of a site directory or the prefix.

    One kind, so that an odd file does not go under in a hundred others.
    """
    groups: dict[tuple[str, str, str, str], list[Deviation]] = {}
    for deviation in found:
        place = top_level(facts, deviation.path)
        owner = deviation.owner.name if deviation.owner else ""
        groups.setdefault((owner, place, deviation.problem, deviation.kind or ""), []).append(deviation)
    for group in groups.values():
        if len(group) <= SINGLE:
            yield from ([deviation] for deviation in group)
        else:
            yield group


def top_level(facts: Facts, path: str) -> str:
    """The top-level entry of the site directory or the prefix that holds the path, else the path's own directory."""
    best = ""
    for site in facts.environment.site_dirs:
        prefix = site.path.rstrip("/") + "/"
        if path.startswith(prefix) and len(prefix) > len(best):
            best = prefix
    prefix = facts.environment.path.rstrip("/") + "/"
    if not best and facts.environment.kind == "venv" and path.startswith(prefix):
        best = prefix
    if not best or ("/" not in path[len(best) :] and best == prefix):
        return path.rsplit("/", 1)[0]
    return best + path[len(best) :].split("/", 1)[0]


def tell(
    facts: Facts,
    rule: Rule,
    group: list[Deviation],
    one: str,
    many: str,
    severity: Severity | None = None,
    place: str | None = None,
) -> Finding:
    """One finding over a group; ``one`` and ``many`` are messages, ``many`` with ``{count}`` and ``{place}``.

    ``place`` is where a group stands, by default the top-level entry of its first member.
    """
    first = group[0]
    owner = first.owner.name if first.owner else None
    place = place or top_level(facts, first.path)
    evidence: list[tuple[str, Evidence]] = []
    if len(group) == 1:
        for name, value in (("expected", first.expected), ("sha256", first.actual), ("detail", first.detail)):
            if value is not None:
                evidence.append((name, value))
        path, subject = first.path, first.actual or first.detail
        message = one
    else:
        path = place
        message = many.replace("{count}", f"{len(group):,}").replace("{place}", path.rsplit("/", 1)[-1])
        evidence = [("count", len(group)), ("paths", [deviation.path for deviation in group])]
        evidence.append(("examples", [deviation.path for deviation in group[:EXAMPLES]]))
        subject = _digest_of(group, place)
    if first.kind:
        evidence.append(("kind", first.kind))
    if owner:
        evidence.append(("owner", owner))
    return finding(
        facts,
        rule,
        message=message,
        path=path,
        line=first.line if len(group) == 1 else None,
        owner=owner,
        subject=subject,
        evidence=tuple(evidence),
        severity=severity,
    )


def _digest_of(group: list[Deviation], place: str) -> str:
    """The content of a group, for its fingerprint: each member's path below the place, and its bytes.

    Another member, or other bytes in one, make another group: who accepted the first has not accepted that.
    """
    text = "\0".join(sorted(f"{d.path[len(place) :]}={d.actual or d.detail or ''}" for d in group))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def because(deviation: Deviation) -> str:
    """The deviation's detail, to end a sentence with."""
    return f" ({deviation.detail})" if deviation.detail else ""


def owned_by(deviation: Deviation) -> str:
    """``requests 2.32.4``, or words for nobody."""
    if deviation.owner is None:
        return "what claims it"
    return f"{deviation.owner.name} {deviation.owner.version}" if deviation.owner.version else deviation.owner.name


@check(
    Rule(
        id="file-modified",
        severity=Severity.HIGH,
        summary="An installed file differs from what its package installed.",
        why="The bytes do not have the hash that the package's own record claims for them: somebody changed the file "
        "after it was installed. It runs whenever it is imported.",
        remedy=_REINSTALL,
        example="site-packages/requests/sessions.py",
    )
)
def file_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Claimed files with other bytes."""
    for group in grouped(facts, deviations(facts, "modified")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"Differs from what {owned_by(first)} installed{because(first)}.",
            f"{{count}} files differ from what {owned_by(first)} installed.",
        )


@check(
    Rule(
        id="file-missing",
        severity=Severity.MEDIUM,
        summary="An installed file is gone.",
        why="The package's record lists it. A missing module changes what an import finds: the next directory on "
        "sys.path, or another package, may answer instead.",
        remedy="reinstall the package",
        example="site-packages/requests/certs.py",
    )
)
def file_missing(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Recorded files that do not exist (bytecode never counts)."""
    for group in grouped(facts, deviations(facts, "missing")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"Listed by {owned_by(first)}, but not there{because(first)}.",
            f"{{count}} files that {owned_by(first)} lists are not there.",
        )


@check(
    Rule(
        id="file-unowned",
        severity=Severity.HIGH,
        summary="A file that no installed package lists.",
        why="Code that no package accounts for can be imported or run in this environment, and no package manager "
        "will ever verify, upgrade or remove it. Configuration that makes a tool run something is reported as medium, "
        "inert data as low.",
        remedy="find out who put it there; remove it, or reinstall the package that it should belong to",
        example="site-packages/helper.py",
    )
)
def file_unowned(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Unclaimed code (high), configuration (medium), data (low); a closed set's startup files are unclaimed code."""
    for group in grouped(facts, deviations(facts, "unowned-code", "closed-set", "bytecode-sourceless")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"No installed package accounts for this code{because(first)}.",
            f"{{count}} files of code under {{place}} belong to no installed package{_of_kind(first)}.",
        )
    for group in grouped(facts, deviations(facts, "unowned-configuration")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"No installed package lists this {first.kind}{because(first)}.",
            f"{{count}} files under {{place}} belong to no installed package{_of_kind(first)}.",
            Severity.MEDIUM,
        )
    for group in grouped(facts, deviations(facts, "unowned-data")):
        yield tell(
            facts,
            rule,
            group,
            "No installed package lists this file; it is no code that Python imports.",
            "{count} files under {place} belong to no installed package; none is code that Python imports.",
            Severity.LOW,
        )


def _of_kind(deviation: Deviation) -> str:
    """What a group of files is and does, to end a sentence with."""
    if deviation.kind is None:
        return ""
    return f" ({deviation.kind}{f': {deviation.detail}' if deviation.detail else ''})"


@check(
    Rule(
        id="record-missing",
        severity=Severity.MEDIUM,
        summary="A distribution has no RECORD, so that nothing says which files are its own.",
        why="Without a RECORD neither its files nor its scripts can be checked, and pip cannot uninstall it.",
        remedy="reinstall the package with a current installer",
        example="site-packages/example-1.0.dist-info without RECORD",
    )
)
def record_missing(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Distributions without RECORD."""
    for deviation in deviations(facts, "record-missing"):
        yield tell(
            facts,
            rule,
            [deviation],
            f"{owned_by(deviation)} has no RECORD: its files cannot be checked{because(deviation)}.",
            "",
        )


@check(
    Rule(
        id="record-unhashed",
        severity=Severity.LOW,
        summary="A RECORD row gives no usable hash.",
        why="The row claims the file but proves nothing about its bytes; only installers' own files may do without. "
        "For code it is reported as medium.",
        remedy="reinstall the package from a wheel whose RECORD is whole",
        example="example/core.py,,",
    )
)
def record_unhashed(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Rows without, or with weak or malformed, hashes; rows and RECORDs that cannot be understood."""
    for group in grouped(facts, deviations(facts, "record-unhashed", "record-invalid")):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"The RECORD of {owned_by(first)} proves nothing about this file{because(first)}.",
            f"The RECORD of {owned_by(first)} proves nothing about {{count}} files.",
            Severity.MEDIUM if any(map(_is_code, group)) else None,
        )


def _is_code(found: Deviation) -> bool:
    """Whether something runs, or trusts, what the claims are about."""
    return found.kind is not None or is_code(found.path)


@check(
    Rule(
        id="record-escapes",
        severity=Severity.HIGH,
        summary="A RECORD row points outside the environment.",
        why="No installer writes such a row. Tools that trust RECORD would read, or on uninstall delete, files that "
        "are not the package's.",
        remedy="do not uninstall the package with pip; recreate the environment",
        example="../../../../etc/passwd,sha256=…,1024",
    )
)
def record_escapes(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Rows that leave the prefix."""
    for deviation in deviations(facts, "record-escapes"):
        yield tell(
            facts,
            rule,
            [deviation],
            f"A row in the RECORD of {owned_by(deviation)} points outside this environment{because(deviation)}.",
            "",
        )


@check(
    Rule(
        id="record-conflict",
        severity=Severity.LOW,
        summary="Two claims about one file contradict each other.",
        why="Both cannot be right: two packages overwrite one another's file, or one RECORD was edited. Two hashes "
        "for one file of code are reported as high.",
        remedy="find out which package the file should come from; uninstall or reinstall the other",
        example="google/__init__.py listed by two packages with different hashes",
    )
)
def record_conflict(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Contradicting rows or owners."""
    found = deviations(facts, "record-conflict")
    high = {one: None for one in found if one.detail and "two hashes" in one.detail and _is_code(one)}
    others = [one for one in found if one not in high]
    for group in (*([one] for one in high), *grouped(facts, others)):
        first = group[0]
        yield tell(
            facts,
            rule,
            group,
            f"Claims about this file contradict each other{because(first)}.",
            f"Claims about {{count}} files under {{place}} contradict each other{because(first)}.",
            Severity.HIGH if first in high else None,
        )


@check(
    Rule(
        id="link-outside",
        severity=Severity.LOW,
        summary="A symbolic link leaves the environment.",
        why="What it leads to can change without anything in the environment changing.",
        remedy="replace the link by the file, or install with copies (uv: --link-mode copy)",
        example="site-packages/shared -> /srv/shared",
    )
)
def link_outside(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Links out of the environment."""
    for group in grouped(facts, deviations(facts, "link-outside")):
        yield tell(
            facts,
            rule,
            group,
            f"A link that leaves the environment{because(group[0])}.",
            "{count} links under {place} leave the environment.",
        )


@check(
    Rule(
        id="bytecode-mismatch",
        severity=Severity.HIGH,
        summary="Bytecode that does not come from the source that it runs in place of.",
        why="CPython runs the .pyc in __pycache__ in place of the source, whatever the source says. A trusted "
        "interpreter compiled the source again (--deep), and got something else: somebody replaced the bytecode, or, "
        "where only instructions differ, another patch release of that Python compiled it.",
        remedy="look at what differs and keep a copy for evidence; then delete the file, and Python compiles the "
        "source again",
        example="site-packages/requests/__pycache__/sessions.cpython-311.pyc",
    )
)
def bytecode_mismatch(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Accepted bytecode that is not what its source compiles to, less what a startup check tells."""
    told = startup_bytecode(facts)
    for group in grouped(facts, (d for d in deviations(facts, "bytecode-mismatch") if d.path not in told)):
        yield tell(
            facts,
            rule,
            group,
            f"Runs in place of its source and does not come from it: {group[0].detail}.",
            "{count} files of bytecode under {place} run in place of their sources and do not come from them.",
        )


def startup_bytecode(facts: Facts) -> set[str]:
    """Bytecode that a startup check reports."""
    entries = [entry for entry in facts.plan.entries if entry.runs]
    proofs = [entry.proof for entry in entries] + [file.proof for entry in entries for file in entry.closure]
    return {proof.path for proof in proofs if proof is not None and proof.result == "mismatch"}


@check(
    Rule(
        id="bytecode-unchecked",
        severity=Severity.MEDIUM,
        summary="Bytecode that runs whatever its source says.",
        why="An unchecked-hash .pyc (PEP 552) is never compared with its source: editing the source changes nothing, "
        "and the bytecode may do something else.",
        remedy="delete it; Python compiles the source again",
        example="site-packages/pkg/__pycache__/mod.cpython-311.pyc",
    )
)
def bytecode_unchecked(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Unchecked-hash bytecode."""
    for group in grouped(facts, deviations(facts, "bytecode-unchecked")):
        yield tell(
            facts,
            rule,
            group,
            f"Runs in place of its source without ever being compared with it{because(group[0])}.",
            "{count} files of bytecode under {place} run in place of their sources without being compared with them.",
        )


@check(
    Rule(
        id="bytecode-orphan",
        severity=Severity.MEDIUM,
        summary="Bytecode in __pycache__ whose source is gone.",
        why="Python does not import it from there, but it is code that nothing accounts for.",
        remedy="delete it, unless it is evidence",
        example="site-packages/pkg/__pycache__/gone.cpython-311.pyc",
    )
)
def bytecode_orphan(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Cached bytecode without a source."""
    for group in grouped(facts, deviations(facts, "bytecode-orphan")):
        yield tell(
            facts,
            rule,
            group,
            f"Bytecode without the source that it was compiled from{because(group[0])}.",
            "{count} files of bytecode under {place} have lost their sources.",
        )


@check(
    Rule(
        id="metadata-inconsistent",
        severity=Severity.MEDIUM,
        summary="A distribution's metadata contradicts itself.",
        why="Tools disagree about what is installed: some read the directory's name, some METADATA.",
        remedy="reinstall the package",
        example="requests-2.32.4.dist-info with METADATA that says Version: 2.31.0",
    )
)
def metadata_inconsistent(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Name or version that differ between directory and METADATA, or no METADATA."""
    for deviation in deviations(facts, "metadata-inconsistent"):
        yield tell(facts, rule, [deviation], f"The metadata contradicts itself{because(deviation)}.", "")
    for deviation in deviations(facts, "entry-point-undeclared"):
        message = f"The metadata of an editable install contradicts its project{because(deviation)}."
        yield tell(facts, rule, [deviation], message, "")


@check(
    Rule(
        id="distribution-duplicate",
        severity=Severity.MEDIUM,
        summary="One distribution is installed twice in one directory.",
        why="Tools disagree about which version is installed; one of the two records is not true any more.",
        remedy="uninstall it until it is gone, then install it again",
        example="requests-2.31.0.dist-info beside requests-2.32.4.dist-info",
    )
)
def distribution_duplicate(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Two metadata directories for one name."""
    for deviation in deviations(facts, "distribution-duplicate"):
        yield tell(facts, rule, [deviation], f"Installed twice{because(deviation)}.", "")


CHECKS = (
    file_modified,
    file_unowned,
    file_missing,
    record_missing,
    record_unhashed,
    record_escapes,
    record_conflict,
    link_outside,
    bytecode_mismatch,
    bytecode_unchecked,
    bytecode_orphan,
    metadata_inconsistent,
    distribution_duplicate,
)
