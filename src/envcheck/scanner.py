"""A target and options into a Report: gathers facts, runs checks, decides the exit code.

The only place that knows the order of the work. (The public name is `envcheck.scan`; a module of that name would
replace the function as soon as anything imported it.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from envcheck import __version__
from envcheck.checks import registry
from envcheck.checks.base import Check
from envcheck.checks.verdict import verdict
from envcheck.environments.discover import find_environment
from envcheck.environments.own import overlap
from envcheck.files.root import Files, Unreadable
from envcheck.installed.inventory import Installed
from envcheck.installed.modes import open_places
from envcheck.model.bytecode import BytecodeCoverage, Proof, TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.errors import TargetError, UsageError
from envcheck.model.facts import Facts, Hit
from envcheck.model.finding import Finding, NotSeen
from envcheck.model.inventory import Inventory, normalize_name
from envcheck.model.invocation import Invocation
from envcheck.model.lock import Comparison
from envcheck.model.ownership import STRENGTH, Claim
from envcheck.model.report import Difference, EnvironmentReport, Options, Report, Timing
from envcheck.model.startup import ClosureFile, StartupEntry, StartupPlan
from envcheck.policy.outcome import exit_code
from envcheck.startup.plan import make_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.tags import Tag

    from envcheck.anchors.lookup import Anchors
    from envcheck.anchors.sources import Places
    from envcheck.installed.proofs import Cached, Prover
    from envcheck.installed.references import Reference
    from envcheck.model.behavior import Account
    from envcheck.model.lock import Lock

    Tags = frozenset[Tag]


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
    for chosen in options:
        if chosen.wheels or chosen.anchors:
            refuse_from_target(environments, chosen)
    if any(chosen.trusted_pythons for chosen in options):
        # Refused before anything is scanned.
        for chosen in options:
            trusted_pythons(environments, chosen)
    for files, environment, chosen in zip(places, environments, options, strict=True):
        trusted = partial(trusted_pythons, environments, chosen)
        prefixes = tuple(sorted({found.path for found in environments}))
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
    references = read_references(options.references) if options.references else ()
    inventory: Inventory | None = None
    comparison: Comparison | None = None
    bytecode = Bytecode(files, environment, options, trusted)
    with (
        Installed(files, environment, options.workers, options.progress, references) as installed,
        Locking(files, environment, options, prefixes) as locking,
    ):
        if not options.startup_only:
            locking.begin(installed)
            installed.begin()
        plan = make_plan(files, environment, options.invocation)
        plan = bytecode.prove_startup(plan, lambda: look_up(plan, installed))
        if not options.startup_only:
            comparison = locking.compare(installed)
            inventory = locking.inventory(installed)
            if comparison is not None and inventory.anchoring is not None:
                comparison = comparison._replace(lock=comparison.lock._replace(anchors=inventory.anchoring.source))
            if options.deep:
                inventory = bytecode.prove_everything(installed, inventory)
        difference = locking.difference(installed)
        # By anchors, where there are some: they are known when every file is.
        plan = judge_startup(attribute(plan, installed), Accounts(files, installed, options))
    if plan.not_modelled:
        files.miss(environment.path, plan.not_modelled)
    why = overlap(environment, files.root)
    lines = [(line.directory, line.added) for line in plan.path_lines if not line.symbolic]
    places = tuple(sorted(open_places(files, environment, lines).items()))
    clean = why is None
    hits = recognised(files, plan, inventory, options)
    facts = Facts(
        environment, plan, inventory, comparison, clean, why, files.not_seen, options.invocation, places, hits
    )
    checks = registry.startup_checks() if options.startup_only else registry.all_checks()
    findings = judge(facts, checks, options, lambda path: installed.claim(path).sha256 if files.is_file(path) else None)
    coverage = bytecode.coverage()
    report = EnvironmentReport(
        environment, plan, inventory, comparison, files.not_seen, tuple(findings), coverage, difference
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


def recognised(files: Files, plan: StartupPlan, inventory: Inventory | None, options: Options) -> tuple[Hit, ...]:
    """What of an environment is known from attacks. Raises `UsageError` for a file of indicators that is none."""
    starting: list[StartupEntry | ClosureFile] = list(plan.entries)
    starting += [file for entry in plan.entries for file in entry.closure]
    accounted = [item for item in starting if item.known is None or options.indicators]
    if not accounted and inventory is None and not options.indicators:
        return ()
    from envcheck.catalogue import indicators

    wanted = indicators.shipped()
    for path in options.indicators:
        try:
            data = Files().read(path, indicators.MAX_FILE)
        except Unreadable as error:
            raise UsageError(f"--indicators {path}: {error.why}", "name a file of digests, paths and globs") from None
        wanted = indicators.joined(wanted, indicators.read_indicators(path, data))
    hits: dict[tuple[str, str], Hit] = {}
    for item in accounted:
        line = item.line if isinstance(item, StartupEntry) else None
        owner = item.owner.name if item.owner else None
        texts = (
            [] if item.account is None else [layer.text or "" for one in item.account.within() for layer in one.layers]
        )
        texts += (
            [] if item.account is None else [found.value for one in item.account.within() for found in one.indicators]
        )
        if isinstance(item, StartupEntry):
            texts.append(item.code or "")
        for how, what in (
            ("content", wanted.of_digest(item.sha256)),
            ("text", next((what for what in map(wanted.of_text, texts) if what is not None), None)),
            ("path", wanted.of_path(item.path)),
        ):
            if what is not None:
                hits.setdefault((item.path, what), Hit(item.path, line, what, how, item.sha256, owner))
    for one in inventory.deviations if inventory else ():
        for how, what in (("content", wanted.of_digest(one.actual)), ("path", wanted.of_path(one.path))):
            if what is not None:
                owner = one.owner.name if one.owner else None
                hits.setdefault((one.path, what), Hit(one.path, one.line, what, how, one.actual, owner))
    for package in inventory.distributions if inventory else ():
        what = wanted.of_release(package.key, package.version)
        if what is not None:
            hits.setdefault((package.path, what), Hit(package.path, None, what, "release", None, package.name))
    for path, what in wanted.paths:
        place = path.replace("*/", f"{options.invocation.environ.get('HOME') or '/nowhere'}/", 1)
        if place.startswith("/") and not {"*", "?", "["} & set(place) and files.is_file(place):
            hits.setdefault((place, what), Hit(place, None, what, "path"))
    return tuple(hits.values())


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


class Locking:
    """The lock, what is installed against it, and the anchors that it gives; nothing is loaded without a lock.

    Used in a ``with`` statement: whatever ends that ends the copies that read wheels.
    """

    def __init__(self, files: Files, environment: Environment, options: Options, prefixes: tuple[str, ...]) -> None:
        self._files = files
        self._environment = environment
        self._options = options
        self._prefixes = prefixes
        self._lock: Lock | None = None
        self._anchors: Anchors | None = None
        self._committed: str | None = None

    def __enter__(self) -> Locking:
        return self

    def __exit__(self, *_: object) -> None:
        if self._anchors is not None:
            self._anchors.stop()

    def begin(self, installed: Installed) -> None:
        """Read the lock, and begin to read the wheels of what is installed. Raises `UsageError`."""
        options = self._options
        if options.lock is None:
            return
        from envcheck.anchors.committed import read_committed
        from envcheck.anchors.lookup import Anchors
        from envcheck.locks.read import read_lock
        from envcheck.locks.targets import accepted, fits

        self._lock = lock = read_lock(self._files, options.lock)
        self._committed = options.anchors or anchors_beside(lock.path, self._prefixes)
        committed = None if self._committed is None else read_committed(Files(), self._committed)
        tags = accepted(self._environment.python)
        fitting = partial(_fits_all, fits, tags) if tags else None
        self._anchors = Anchors(
            lock, places_of(options, self._prefixes), committed, fitting, options.workers, options.progress
        )
        self._anchors.begin(installed.distributions())

    def difference(self, installed: Installed) -> Difference | None:
        """The file that the user wants to see beside what its locked wheel has."""
        wanted = self._options.diff
        if wanted is None:
            return None
        if self._anchors is None:
            return Difference(wanted, why="there is no lock to compare with")
        path, owners = installed.candidates(wanted)
        try:
            actual = self._files.read(path, self._files.limits.startup)
        except Unreadable:
            actual = None
        for name, version, location in owners:
            found = self._anchors.member(name, version, location)
            if found is not None:
                return Difference(path, found[0].filename, found[1], actual)
        why = "no locked wheel at hand has it: --wheels DIR names a directory of wheels, --fetch downloads them"
        return Difference(path, actual=actual, why=why)

    def compare(self, installed: Installed) -> Comparison | None:
        """What is installed against what the lock asks for here."""
        if self._lock is None:
            return None
        from envcheck.locks.compare import compare

        return compare(self._files, self._lock, self._environment, installed.distributions(), self._options)

    def inventory(self, installed: Installed) -> Inventory:
        """What is installed, proven by the lock where that is possible."""
        if self._lock is None or self._anchors is None:
            return installed.inventory()
        inventory = installed.inventory(self._anchors.expectation, self._lock.path.rsplit("/", 1)[-1])
        assert inventory.anchoring is not None
        self._files.bytes_read += self._anchors.bytes_read
        excepted = {normalize_name(name) for name in self._options.excepted}
        anchoring = inventory.anchoring._replace(
            path=self._committed,
            excepted=tuple(sorted({one.name for one in inventory.anchoring.unanchored} & excepted)),
            required=self._options.require_anchors,
            problems=tuple(self._anchors.problems),
        )
        return inventory._replace(anchoring=anchoring)


def _fits_all(fits: Callable[[str, Tags], bool], tags: Sequence[Tags], filename: str) -> bool:
    return any(fits(filename, one) for one in tags)


def places_of(options: Options, prefixes: tuple[str, ...]) -> Places:
    """Where wheels may be looked for."""
    from envcheck.anchors.sources import Places

    return Places(
        wheels=options.wheels,
        caches=options.caches is not None,
        fetch=options.fetch,
        index_url=options.index_url,
        environ=options.caches or (),
        forbidden=prefixes,
    )


def anchors_beside(lock: str, prefixes: Sequence[str]) -> str | None:
    """The anchors file beside a lock; one that lies in a target is not chosen by itself."""
    from envcheck.anchors.committed import NAME

    path = f"{lock.rpartition('/')[0]}/{NAME}"
    return path if Files().is_file(path) and _holder(path, prefixes) is None else None


def refuse_from_target(environments: Sequence[Environment], options: Options) -> None:
    """A target is not its own witness. Raises `UsageError`."""
    prefixes = [environment.path for environment in environments]
    for option, path in [*(("--wheels", path) for path in options.wheels), ("--anchors", options.anchors)]:
        holder = None if path is None else _holder(path, prefixes)
        if holder is not None:
            raise UsageError(
                f"{option} {path}: lies inside the scanned environment {holder}",
                "who can change the files there can change these too: name what is kept elsewhere",
            )


def _holder(path: str, prefixes: Sequence[str]) -> str | None:
    """The target that holds a path, links resolved."""
    files = Files()
    real = files.realpath(path) + "/"
    return next((prefix for prefix in prefixes if real.startswith(files.realpath(prefix).rstrip("/") + "/")), None)


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
    return entry._replace(
        owner=own.owner, assurance=own.assurance, sha256=entry.sha256 or own.sha256, closure=closure, proof=proof
    )


def judge_startup(plan: StartupPlan, accounts: Accounts) -> StartupPlan:
    """The plan with what code in it would do, and with a verdict on every entry."""
    entries = []
    for entry in plan.entries:
        closure = tuple(accounts.of_file(file) for file in entry.closure)
        entry = accounts.of_entry(entry)._replace(closure=closure)
        told = [account for account in (entry.account, *(file.account for file in closure)) if account is not None]
        if told:
            from envcheck.model.behavior import capabilities_of

            entry = entry._replace(capabilities=capabilities_of(told))
        entry = entry._replace(notes=(*entry.notes, *hiding(entry)))
        entries.append(entry._replace(verdict=verdict(entry)))
    return plan._replace(entries=tuple(entries))


def hiding(entry: StartupEntry) -> Iterator[str]:
    """What else is odd about how an entry is named or written, where nothing vouches for it."""
    if entry.assurance not in ("unrecorded", "modified"):
        return
    from envcheck.catalogue.similar import looks_like
    from envcheck.catalogue.startup_files import STARTUP_FILES

    name = entry.path.rpartition("/")[2]
    similar = looks_like(name)
    if similar is not None:
        yield f"its name looks like {similar}, and is another"
    elif name in STARTUP_FILES and STARTUP_FILES[name].distinctive and entry.known is None:
        yield f"it bears the name of {STARTUP_FILES[name].what}, and has another content"
    if entry.account is not None:
        yield from (trick for trick in entry.account.tricks if trick not in entry.notes)


class Accounts:
    """What code would do, asked of each file once, and only where neither a lock nor the catalogue answers for it.

    In a whole scan, of lines that are proven too: that costs nothing that one notices.
    """

    def __init__(self, files: Files, installed: Installed, options: Options) -> None:
        self._files = files
        self._installed = installed
        self._proven = options.explain or not options.startup_only
        self._all = options.explain
        self._known: dict[str, str | None] = {}
        self._accounts: dict[str, Account] = {}

    def of_entry(self, entry: StartupEntry) -> StartupEntry:
        """An entry with an account of its line, or of the module that it is."""
        known = self._known_as(entry.path, entry.assurance)
        entry = entry._replace(known=known)
        if entry.code is not None and entry.kind == "pth-import":
            if not self._proven and (entry.assurance in _TRUSTED or known is not None):
                return entry
            from envcheck.behavior.account import account_of_line

            return entry._replace(account=account_of_line(entry.code, entry.line or 1))
        if entry.line is not None or (not self._all and (entry.assurance in _TRUSTED or known is not None)):
            return entry
        return entry._replace(account=self._account(entry.path, entry.loads, entry.proof))

    def of_file(self, file: ClosureFile) -> ClosureFile:
        """A file that an entry loads, with an account of it."""
        known = self._known_as(file.path, file.assurance)
        if not self._all and (file.assurance in _TRUSTED or known is not None):
            return file._replace(known=known)
        file = file._replace(known=known)
        # A package's own modules: only those that could be told against although a RECORD lists them.
        quick = file.assurance == "recorded" and file.path.endswith(".py") and not self._all
        return file._replace(account=self._account(file.path, file.loads, file.proof, quick))

    def _known_as(self, path: str, assurance: str | None) -> str | None:
        if assurance not in ("recorded", "known"):
            return None
        if path not in self._known:
            self._known[path] = self._installed.known(path)
        return self._known[path]

    def _account(self, path: str, loads: str | None, proof: Proof | None, quick: bool = False) -> Account | None:
        from envcheck.behavior.account import account_of_file
        from envcheck.behavior.worth import may_decide
        from envcheck.model.behavior import Account

        # The bytecode in place of a source that says something else.
        differs = proof is not None and proof.result == "mismatch"
        subject = loads if loads is not None and (differs or path.endswith(".pyc")) else path
        if subject not in self._accounts:
            try:
                data = self._files.read(subject, self._files.limits.startup)
                if quick and not may_decide(data):
                    return None
                self._accounts[subject] = account_of_file(subject.rpartition("/")[2], data)
            except Unreadable as error:
                self._accounts[subject] = Account("unknown", False, error.why)
        return self._accounts[subject]


_TRUSTED = ("anchored",)


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
