"""A target and options into a Report: gathers facts, runs checks, decides the exit code.

The only place that knows the order of the work. (The public name is `envcheck.scan`; a module of that name would
replace the function as soon as anything imported it.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from envcheck import __version__
from envcheck.checks import registry
from envcheck.checks.base import Check
from envcheck.checks.verdict import verdict
from envcheck.environments.discover import find_environment
from envcheck.environments.own import overlap
from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.installed.modes import open_places
from envcheck.model.bytecode import BytecodeCoverage, Proof, TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.errors import TargetError
from envcheck.model.facts import Facts
from envcheck.model.finding import Finding, NotSeen
from envcheck.model.inventory import Inventory
from envcheck.model.invocation import Invocation
from envcheck.model.lock import Comparison
from envcheck.model.ownership import STRENGTH, Claim
from envcheck.model.report import EnvironmentReport, Options, Report, Timing
from envcheck.model.startup import ClosureFile, StartupEntry, StartupPlan
from envcheck.policy.outcome import exit_code
from envcheck.startup.plan import make_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.proofs import Cached, Prover
    from envcheck.installed.references import Reference


def scan(target: str, options: Options | None = None) -> Report:
    """Scan one target (a venv, an interpreter's path, a prefix or a site directory; absolute or relative).

    Raises `TargetError` where it is no Python environment, `LockError` where the lock cannot be read.
    """
    import os

    return scan_targets([os.path.abspath(target)], [options or Options()])


def scan_targets(
    targets: Sequence[str], options: Sequence[Options], each: Callable[[EnvironmentReport], None] | None = None
) -> Report:
    """Scan each target (absolute paths) with its options; thresholds and invocation are the first one's.

    ``each`` is called with every environment's report when it is done.
    """
    started, clock = time.time(), time.perf_counter()
    reports = []
    witness: str | None = None
    bytes_read = 0
    places = [Files(chosen.root) for chosen in options]
    environments = [
        find_environment(files, target, chosen.invocation)
        for files, target, chosen in zip(places, targets, options, strict=True)
    ]
    if any(chosen.trusted_pythons for chosen in options):
        # Refused before anything is scanned.
        for chosen in options:
            trusted_pythons(environments, chosen)
    for files, environment, chosen in zip(places, environments, options, strict=True):
        trusted = partial(trusted_pythons, environments, chosen)
        report, why = scan_environment(files, environment, chosen, trusted)
        reports.append(report)
        if each is not None:
            each(report)
        witness = witness or why
        bytes_read += files.bytes_read
    first = options[0]
    findings = [finding for report in reports for finding in report.findings]
    return Report(
        version=__version__,
        options=first,
        clean_room=witness is None,
        clean_room_why=witness,
        environments=tuple(reports),
        exit_code=exit_code(
            findings,
            complete=not any(report.not_seen for report in reports),
            clean_room=witness is None,
            fail_on=first.fail_on,
            fail_on_drift=first.fail_on_drift,
            allow_self=first.allow_self,
        ),
        config=first.config,
        timing=Timing(
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)), time.perf_counter() - clock, bytes_read
        ),
    )


def trusted_pythons(environments: Sequence[Environment], options: Options) -> tuple[TrustedPython, ...]:
    """The interpreters that may be started: none belongs to any of the targets."""
    from envcheck.environments.trusted import named_pythons, own_python

    named = named_pythons(options.trusted_pythons, environments, options.root)
    own = own_python(environments, options.root)
    return named if own is None or own.path in {one.path for one in named} else (*named, own)


def scan_environment(
    files: Files, environment: Environment, options: Options, trusted: Callable[[], Sequence[TrustedPython]]
) -> tuple[EnvironmentReport, str | None]:
    """One environment's report, and why this process is no independent witness of it (``None``: it is)."""
    references = read_references(options.references) if options.references else ()
    inventory: Inventory | None = None
    comparison: Comparison | None = None
    bytecode = Bytecode(files, environment, options, trusted)
    with Installed(files, environment, options.workers, options.progress, references) as installed:
        if not options.startup_only:
            installed.begin()
        plan = make_plan(files, environment, options.invocation)
        plan = attribute(bytecode.prove_startup(plan, lambda: look_up(plan, installed)), installed)
        if not options.startup_only:
            if options.lock is not None:
                comparison = compare_with_lock(files, environment, installed, options)
            inventory = installed.inventory()
            if options.deep:
                inventory = bytecode.prove_everything(installed, inventory)
    if plan.not_modelled:
        files.miss(environment.path, plan.not_modelled)
    why = overlap(environment, files.root)
    lines = [(line.directory, line.added) for line in plan.path_lines if not line.symbolic]
    places = tuple(sorted(open_places(files, environment, lines).items()))
    clean = why is None
    facts = Facts(environment, plan, inventory, comparison, clean, why, files.not_seen, options.invocation, places)
    checks = registry.startup_checks() if options.startup_only else registry.all_checks()
    findings = judge(facts, checks, options, lambda path: installed.claim(path).sha256 if files.is_file(path) else None)
    coverage = bytecode.coverage()
    report = EnvironmentReport(environment, plan, inventory, comparison, files.not_seen, tuple(findings), coverage)
    return report, why


def judge(
    facts: Facts, checks: Sequence[Check], options: Options, digest: Callable[[str], str | None]
) -> Sequence[Finding]:
    """The findings of all checks, and which of them count; most severe first."""
    environment, plan, policy = facts.environment, facts.plan, options.policy
    if policy is not None:
        from envcheck.checks.base import relative_path
        from envcheck.policy.content import entry_content
        from envcheck.policy.decide import new_entries

        entries = [
            (entry, relative_path(environment, entry.path), entry_content(environment, entry, digest))
            for entry in plan.entries
        ]
        facts = facts._replace(new_entries=new_entries(entries, policy))
    findings = [finding for check in checks for finding in check(facts)]
    if findings:
        from envcheck.policy.content import with_contents

        findings = with_contents(environment, plan, findings, digest)
    if policy is not None and findings:
        from envcheck.policy.decide import decide

        now = time.time() if options.now is None else options.now
        findings, lapsed = decide(findings, policy, time.strftime("%Y-%m-%d", time.gmtime(now)))
        if lapsed:
            told = [check for check in checks if check.rule.id == "waiver-expired"]
            again = facts._replace(lapsed=tuple(lapsed))
            findings += decide((finding for check in told for finding in check(again)), policy, "")[0]
    return sorted(findings, key=_order(checks))


class Bytecode:
    """Proofs of what runs in place of sources; no module of theirs is loaded, and nothing started, before one does."""

    def __init__(
        self, files: Files, environment: Environment, options: Options, trusted: Callable[[], Sequence[TrustedPython]]
    ) -> None:
        self._files = files
        self._environment = environment
        self._options = options
        self._trusted = trusted
        self._prover: Prover | None = None

    def prove_startup(self, plan: StartupPlan, meanwhile: Callable[[], None]) -> StartupPlan:
        """The plan with a proof for all bytecode in it; ``meanwhile`` is done while another process compiles."""
        pairs = [(file.path, file.loads) for entry in plan.entries for file in entry.closure]
        pairs += [(entry.path, entry.loads) for entry in plan.entries if entry.line is None]
        wanted = [(path, loads) for path, loads in pairs if loads is not None and loads != path]
        if not wanted:
            return plan
        from envcheck.installed.proofs import Cached

        proofs = self._prove((Cached(path, loads) for path, loads in wanted), meanwhile)
        entries = []
        for entry in plan.entries:
            closure = tuple(file._replace(proof=proofs.get(file.loads or "")) for file in entry.closure)
            proof = proofs.get(entry.loads or "") if entry.line is None else None
            entries.append(entry._replace(closure=closure, proof=proof))
        return plan._replace(entries=tuple(entries))

    def prove_everything(self, installed: Installed, inventory: Inventory) -> Inventory:
        """The inventory with a deviation for each file of bytecode that does not come from its source."""
        from envcheck.installed.deep import Search
        from envcheck.model.inventory import Deviation

        proofs = self._prove(Search(self._files, self._environment, self._options.invocation).cached())
        found = []
        for proof in proofs.values():
            if proof.result == "mismatch":
                owner = installed.claim(proof.source).owner
                found.append(Deviation("bytecode-mismatch", proof.path, owner, None, proof.sha256, proof.why))
        return inventory._replace(deviations=(*inventory.deviations, *found))

    def coverage(self) -> tuple[BytecodeCoverage, ...]:
        """What was proven, by magic number."""
        everywhere = self._options.deep and not self._options.startup_only
        return () if self._prover is None else self._prover.coverage("everywhere" if everywhere else "startup")

    def _prove(self, cached: Iterable[Cached], meanwhile: Callable[[], None] | None = None) -> dict[str, Proof]:
        from envcheck.installed.proofs import Prover

        if self._prover is None:
            progress = self._options.progress
            self._prover = Prover(self._files, self._environment, self._trusted(), progress=progress)
        try:
            return self._prover.prove(cached, meanwhile)
        finally:
            self._prover.close()


def read_references(paths: Sequence[str]) -> tuple[Reference, ...]:
    """The references that the user names. Raises `UsageError`."""
    from envcheck.installed.references import load_reference

    return tuple(load_reference(Files(), path) for path in paths)


def make_reference(target: str, invocation: Invocation) -> tuple[str, Environment, tuple[NotSeen, ...]]:
    """The text of a reference of one installation, the environment, and what of it could not be read.

    Raises `TargetError` where the target is no Python that a reference can be made of.
    """
    from envcheck.installed.interpreter import trusted_files
    from envcheck.installed.owners import Owners
    from envcheck.installed.references import write_reference

    files = Files()
    environment = find_environment(files, target, invocation)
    if environment.stdlib is None or not files.is_dir(environment.stdlib) or environment.python.patch is None:
        raise TargetError(
            f"{target}: no standard library, or no file that tells its whole version",
            "name an interpreter or its prefix",
        )
    found = trusted_files(files, environment, Owners(files, environment))
    return write_reference(environment, found), environment, files.not_seen


def compare_with_lock(files: Files, environment: Environment, installed: Installed, options: Options) -> Comparison:
    """What is installed against what the lock asks for here."""
    from envcheck.locks.compare import compare
    from envcheck.locks.read import read_lock

    assert options.lock is not None
    lock = read_lock(files, options.lock)
    return compare(files, lock, environment, installed.distributions(), options)


def look_up(plan: StartupPlan, installed: Installed) -> None:
    """Find the claims that `attribute` will ask for; they are kept."""
    for entry in plan.entries:
        installed.claim(entry.path)
        for file in entry.closure:
            installed.claim(file.path)


def attribute(plan: StartupPlan, installed: Installed) -> StartupPlan:
    """The plan with owner, assurance and verdict of every entry and of every file that it loads."""
    claims: dict[str, Claim] = {}

    def claim(path: str) -> Claim:
        if path not in claims:
            claims[path] = installed.claim(path)
        return claims[path]

    return plan._replace(entries=tuple(_attributed(entry, claim) for entry in plan.entries))


def _attributed(entry: StartupEntry, claim: Callable[[str], Claim]) -> StartupEntry:
    own, proof = _weaker(claim, entry.path, entry.loads if entry.line is None else None, entry.proof)
    closure = tuple(_closure_file(file, *_weaker(claim, file.path, file.loads, file.proof)) for file in entry.closure)
    entry = entry._replace(
        owner=own.owner, assurance=own.assurance, sha256=entry.sha256 or own.sha256, closure=closure, proof=proof
    )
    return entry._replace(verdict=verdict(entry))


def _weaker(
    claim: Callable[[str], Claim], path: str, loads: str | None, proof: Proof | None
) -> tuple[Claim, Proof | None]:
    """The claim on a module's file, or on the bytecode that runs in its place where that one proves less.

    Bytecode that was proven to come from the source is as good as that; what differs from it is ``modified``.
    """
    own = claim(path)
    if loads is None or loads == path:
        return own, None
    if proof is not None and proof.result != "unproven":
        proof = proof._replace(source_assurance=own.assurance)
        return own if proof.result == "proven" else own._replace(assurance="modified"), proof
    run = claim(loads)
    return own._replace(assurance=run.assurance) if STRENGTH[run.assurance] < STRENGTH[own.assurance] else own, proof


def _closure_file(file: ClosureFile, own: Claim, proof: Proof | None) -> ClosureFile:
    return file._replace(owner=own.owner, assurance=own.assurance, sha256=file.sha256 or own.sha256, proof=proof)


def _order(checks: Sequence[Check]) -> Callable[[Finding], tuple[int, int, str, int, str]]:
    """Most severe first; within a severity as the registry lists the rules, startup first; then by place."""
    rank = {check.rule.id: index for index, check in enumerate(checks)}
    return lambda found: (-found.severity, rank[found.rule], found.path or "", found.line or 0, found.message)
