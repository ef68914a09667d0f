"""A target and options into a Report: gathers facts, runs checks, decides the exit code.

The only place that knows the order of the work: this module has the order, its siblings what each step needs. (The
public name is `envcheck.scan`; a module of that name would replace the function as soon as anything imported it.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from envcheck import __version__
from envcheck.checks import registry
from envcheck.checks.base import Check
from envcheck.environments.discover import find_environment
from envcheck.environments.own import overlap
from envcheck.environments.pyvenv import venvs_around
from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.installed.modes import open_places
from envcheck.model.bytecode import TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.facts import Facts, Hit
from envcheck.model.finding import Finding
from envcheck.model.lock import Comparison
from envcheck.model.report import EnvironmentReport, Options, Report, Timing
from envcheck.model.startup import StartupPlan
from envcheck.policy.outcome import exit_code
from envcheck.scanner.attribution import Accounts, attribute, judge_startup, look_up
from envcheck.scanner.locking import Locking, refuse_from_target
from envcheck.scanner.proving import Bytecode
from envcheck.startup.plan import make_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.references import Reference
    from envcheck.model.inventory import Inventory


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
    prefixes = tuple(
        sorted(
            {
                place
                for files, found in zip(places, environments, strict=True)
                for place in (found.path, *venvs_around(files, found.path))
            }
        )
    )
    for chosen in options:
        refuse_from_target(prefixes, chosen)
    if any(chosen.trusted_pythons for chosen in options):
        # Refused before anything is scanned.
        for chosen in options:
            trusted_pythons(environments, chosen)
    for files, environment, chosen in zip(places, environments, options, strict=True):
        trusted = partial(trusted_pythons, environments, chosen)
        report, why = scan_environment(files, environment, chosen, trusted, prefixes)
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
    files: Files,
    environment: Environment,
    options: Options,
    trusted: Callable[[], Sequence[TrustedPython]],
    prefixes: tuple[str, ...] = (),
) -> tuple[EnvironmentReport, str | None]:
    """One environment's report, and why this process is no independent witness of it (``None``: it is).

    ``prefixes`` are those of all targets: no archive that lies there is looked at.
    """
    references = read_named(options.references)
    inventory: Inventory | None = None
    comparison: Comparison | None = None
    bytecode = Bytecode(files, environment, options, trusted)
    with (
        Installed(files, environment, options.workers, options.progress, references) as installed,
        Locking(files, environment, options, prefixes) as locking,
        Accounts(files, installed, options) as accounts,
    ):
        if not options.startup_only:
            locking.begin(installed)
            installed.begin()
        plan = make_plan(files, environment, options.invocation)
        plan = bytecode.prove_startup(plan, lambda: look_up(plan, installed))
        if not options.startup_only:
            if not locking.has_anchors:
                # While files are hashed.
                accounts.begin(plan)
            comparison = locking.compare(installed)
            inventory = locking.inventory(installed)
            if comparison is not None and inventory.anchoring is not None:
                comparison = comparison._replace(lock=comparison.lock._replace(anchors=inventory.anchoring.source))
            if options.deep:
                inventory = bytecode.prove_everything(installed, inventory)
        difference = locking.difference(installed)
        # By anchors, where there are some: they are known when every file is.
        plan = judge_startup(attribute(plan, installed), accounts)
    if plan.not_modelled:
        files.miss(environment.path, plan.not_modelled)
    why = overlap(environment, files.root)
    lines = [(line.directory, line.added) for line in plan.path_lines if not line.symbolic]
    places = tuple(sorted(open_places(files, environment, lines).items()))
    clean = why is None
    hits = known_from_attacks(files, plan, inventory, options)
    facts = Facts(
        environment, plan, inventory, comparison, clean, why, files.not_seen, options.invocation, places, hits
    )
    checks = registry.startup_checks() if options.startup_only else registry.all_checks()
    findings = judge(facts, checks, options, lambda path: installed.claim(path).sha256 if files.is_file(path) else None)
    coverage = bytecode.coverage()
    report = EnvironmentReport(
        environment,
        plan,
        inventory,
        comparison,
        files.not_seen,
        tuple(findings),
        coverage,
        difference,
        options.invocation,
    )
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


def known_from_attacks(
    files: Files, plan: StartupPlan, inventory: Inventory | None, options: Options
) -> tuple[Hit, ...]:
    """What of an environment is known from attacks; no indicator is read where nothing could be one."""
    known = all(entry.known and all(file.known for file in entry.closure) for entry in plan.entries)
    if known and inventory is None and not options.indicators:
        return ()
    from envcheck.scanner.attacks import recognised

    return recognised(files, plan, inventory, options)


def read_named(paths: Sequence[str]) -> tuple[Reference, ...]:
    """The references that the user names. Raises `UsageError`."""
    if not paths:
        return ()
    from envcheck.scanner.references import read_references

    return read_references(paths)


def _order(checks: Sequence[Check]) -> Callable[[Finding], tuple[int, int, str, int, str]]:
    """Most severe first; within a severity as the registry lists the rules, startup first; then by place."""
    rank = {check.rule.id: index for index, check in enumerate(checks)}
    return lambda found: (-found.severity, rank[found.rule], found.path or "", found.line or 0, found.message)
