"""Turns facts of a Report into the words that every report for people uses: places, owners, proofs, counts.

What comes out may hold an attacker's text and is not safe to show; the format makes it so (see ``text``).
"""

from __future__ import annotations

from envcheck.model.environment import Environment
from envcheck.model.inventory import LockState, StandardLibraryProof
from envcheck.model.invocation import Invocation
from envcheck.model.lock import Comparison
from envcheck.model.ownership import Assurance, Owner
from envcheck.model.report import EnvironmentReport, Report
from envcheck.model.startup import StartupEntry

PROOF: dict[Assurance, str] = {
    "anchored": "anchored",
    "recorded": "recorded (not proven)",
    "known": "known file",
    "unrecorded": "unrecorded",
    "modified": "modified",
}
"""Assurance in a word or two. A RECORD lies in the environment that it vouches for: it must not look like proof."""

CAPABILITIES = {
    "process": "starts a process",
    "network": "uses the network",
    "decode": "decodes data",
    "dynamic-code": "executes code that it makes up",
    "credentials": "reads credentials",
    "environment": "reads environment variables",
    "writes-files": "writes files",
    "native-code": "loads native code",
    "import-machinery": "changes how imports work",
    "monkeypatch": "changes other modules",
    "persistence": "makes itself permanent",
    "threads": "starts a thread",
    "anti-analysis": "looks whether it is watched",
}

_INERT = frozenset(
    {"PYTHON", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONHASHSEED", "PYTHONVERBOSE", "PYTHONDEBUG"}
)
"""Variables named like Python's that change nothing about what runs at startup; make exports ``PYTHON``."""

_DRIFT: tuple[tuple[LockState, str], ...] = (
    ("version", "at another version"),
    ("missing", "missing"),
    ("extra", "not asked for"),
    ("source", "from another source"),
)


_LOCK_STATES = {
    "committed": ", which is as HEAD has it",
    "modified": ", which differs from HEAD",
    "untracked": ", which no commit has",
}
"""What anchored files stand on: a lock that anybody may have edited, or one that was reviewed."""

_WHAT_TO_DO = "--trusted-python PATH may name one that can tell"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 file``, ``14,233 files``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Bytes as ``34 kB``, ``412 MB``, ``1.2 GB``."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            number = count / factor
            return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"
    return plural(count, "byte")


def below(path: str, directory: str | None) -> str | None:
    """``path`` relative to ``directory`` where it lies below it, else ``None``."""
    prefix = (directory or "").rstrip("/") + "/"
    if directory and path.startswith(prefix) and len(path) > len(prefix):
        return path[len(prefix) :]
    return None


def place(environment: Environment, path: str) -> str:
    """A path relative to the environment; whole where it lies outside."""
    return below(path, environment.path) or path


def short_place(environment: Environment, path: str) -> str:
    """As `place`, and relative to the site directory where the environment has just one of its own."""
    own = environment.own_site_dirs
    return (below(path, own[0].path) if len(own) == 1 else None) or place(environment, path)


def at_line(place: str, line: int | None) -> str:
    """``shop_init.pth:1``."""
    return place if line is None else f"{place}:{line}"


def file_name(path: str) -> str:
    """The last component."""
    return path.rstrip("/").rsplit("/", 1)[-1] or path


def owner_name(owner: Owner) -> str:
    """``setuptools 80.9.0``, ``python3.11 3.11.2-6 (dpkg)``."""
    name = f"{owner.name} {owner.version}" if owner.version else owner.name
    return name if owner.kind == "distribution" else f"{name} ({owner.kind})"


def proof_sentence(owner: Owner | None, assurance: Assurance) -> str:
    """How we know that the bytes are right, or that nobody does."""
    if assurance == "anchored":
        return "anchored: the bytes of an archive that the lock names"
    if assurance == "known":
        return "known: no package claims it, but a well-known tool writes exactly these bytes"
    if assurance == "recorded":
        if owner is not None and owner.kind in ("dpkg", "conda"):
            return f"recorded by {owner.kind}'s own list only, which whoever changes the file can change too"
        return "recorded by its own RECORD only, which whoever changes the file can change too"
    if assurance == "modified":
        return "modified: the bytes are not those that were recorded for it"
    return "none: nothing vouches for these bytes"


def header(environment: Environment, invocation: Invocation) -> str:
    """The environment as the user would name it from where they stand."""
    here = (invocation.directory or "").rstrip("/")
    return (below(environment.path, here) if here else None) or environment.path


def implementation(environment: Environment) -> str:
    """``CPython 3.12.4``."""
    python = environment.python
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
    free = " free-threaded" if python.free_threaded else ""
    assumed = " (assumed)" if python.version_assumed else ""
    return f"{names.get(python.implementation, python.implementation)} {python.version}{free}{assumed}"


def root(report: Report) -> list[str]:
    """Where the machine that everything is read from is mounted, if it is not this one."""
    return [] if report.options.root is None else [f"the machine at {report.options.root}"]


def whose_view(environment: Environment, invocation: Invocation) -> str:
    """For which interpreter, flags, variables and user the report speaks: ``python, no flags, user ana``."""
    executable = environment.python.executable
    variables = invocation.environ
    home = variables.get("HOME")
    user = variables.get("USER") or variables.get("LOGNAME") or (file_name(home) if home else None)
    parts = [file_name(executable) if executable else "python", " ".join(invocation.flags) or "no flags"]
    if not invocation.ignores_environment:
        parts += [f"{name} set" for name in sorted(variables) if name.startswith("PYTHON") and name not in _INERT]
    parts.append(f"user {user}" if user else "user unknown")
    return ", ".join(parts)


def drifted(comparison: Comparison | None) -> int:
    """How many packages are not what the lock asks for."""
    states = [drift.state for drift in comparison.drifts] if comparison else []
    return sum(states.count(state) for state, _ in _DRIFT)


def lock_name(report: EnvironmentReport) -> str:
    """The lock's file name, or ``no lock``."""
    return file_name(report.comparison.lock.path) if report.comparison else "no lock"


def lock_sentence(comparison: Comparison | None) -> str:
    """How what is installed relates to the lock."""
    if comparison is None:
        return "no lock: nothing says what should be here"
    states = [drift.state for drift in comparison.drifts]
    lock = file_name(comparison.lock.path)
    chosen = [f"extra {name}" for name in sorted(comparison.lock.extras)]
    chosen += [f"group {name}" for name in sorted(comparison.lock.groups)]
    chosen.append(f"sha256 {comparison.lock.sha256[:12]}")
    with_what = f" ({', '.join(chosen)})"
    match = states.count("match")
    wrong = [f"{states.count(state):,} {words}" for state, words in _DRIFT if state in states]
    if not wrong:
        verb = "matches" if match == 1 else "match"
        return f"{plural(match, 'package')} {verb} {lock}{with_what}"
    total = match + drifted(comparison)
    return f"{match:,} of {plural(total, 'package')} match {lock}{with_what}: {', '.join(wrong)}"


def coverage(report: EnvironmentReport, startup_only: bool) -> list[str]:
    """What the verdict rests on, clause by clause, and what it does not."""
    clauses = []
    if startup_only:
        clauses.append("only what runs at startup was looked at: packages and their files were not")
    else:
        clauses.append(lock_sentence(report.comparison))
    if report.inventory is not None:
        clauses.append(_files_sentence(report))
    environment = report.environment
    if environment.kind in ("target-directory", "user"):
        clauses.append(f"no Python belongs to it: read as a site directory of {implementation(environment)}")
        if not report.bytecode:
            clauses.append("bytecode was not compared with anything")
        return [*clauses, *bytecode_clauses(report)]
    base = "this Python's" if environment.kind != "venv" else f"the base {environment.python.version}'s"
    clauses += bytecode_clauses(report)
    nothing = [] if _compared_all(report) else ["other bytecode" if report.bytecode else "bytecode"]
    proof = report.inventory.standard_library if report.inventory is not None else None
    if proof is None or (proof.compared_with is None and proof.why_not is None):
        nothing.append(f"{base} standard library")
    else:
        clauses.append(f"{base} standard library {_proof_of_library(proof)}")
    if nothing:
        clauses.append(f"{' and '.join(nothing)} {'was' if len(nothing) == 1 else 'were'} not compared with anything")
    return clauses


def _proof_of_library(proof: StandardLibraryProof) -> str:
    if proof.compared_with is None:
        return f"was not compared with anything ({proof.why_not})"
    text = f"was compared with {proof.compared_with}: {plural(proof.verified, 'file')}"
    if proof.unproven:
        text += f"; {plural(proof.unproven, 'file')} of its build had nothing to compare with"
    return text


def _compared_all(report: EnvironmentReport) -> bool:
    return any(one.scope == "everywhere" for one in report.bytecode)


def bytecode_clauses(report: EnvironmentReport) -> list[str]:
    """What compiling sources again proved of the bytecode that runs in their place, and what to do for the rest."""
    clauses = []
    for one in report.bytecode:
        where = "" if one.scope == "everywhere" else " that runs at startup"
        name = f"of bytecode{where}"
        if one.mismatched:
            verb = "does" if one.mismatched == 1 else "do"
            clauses.append(f"{plural(one.mismatched, 'file')} {name} {verb} not come from the source")
        if one.proven:
            verb = "comes from its source" if one.proven == 1 else "come from their sources"
            clauses.append(f"{plural(one.proven, 'file')} {name} {verb}")
        for why, count in one.reasons:
            clauses.append(
                f"{plural(count, 'file')} of {one.version} bytecode (magic {one.magic}){where} unproven: {why}; "
                f"{_WHAT_TO_DO}"
            )
    return clauses


def started_sentence(report: Report) -> str:
    """Which interpreters were started: never one of a target."""
    started = {name for environment in report.environments for one in environment.bytecode for name in one.started}
    if not started:
        return "No interpreter was started"
    return f"Only {' and '.join(sorted(started))} was started, to compile sources again"


def _files_sentence(report: EnvironmentReport) -> str:
    assert report.inventory is not None
    distributions, counts = report.inventory.distributions, report.inventory.counts
    anchored = sum(distribution.assurance == "anchored" for distribution in distributions)
    anchoring = report.inventory.anchoring
    files = plural(counts.verified, "file")
    if anchored and report.comparison is not None:
        state = _LOCK_STATES.get(report.comparison.lock.repository.state, "")
        proven = plural(anchoring.files, "file") if anchoring is not None and anchoring.files else files
        if anchored == len(distributions):
            return f"{proven} proven by it{state}"
        return f"{proven} of {anchored:,} of {plural(len(distributions), 'package')} proven by it{state}"
    lists = "lists of files" if report.environment.kind == "system" else "RECORD"
    return f"{files} checked against the packages' own {lists} only"


def runs_sentence(entry: StartupEntry) -> str | None:
    """What is special about when an entry runs, or ``None``."""
    conditions = [entry.when, *(occurrence.when for occurrence in entry.occurrences)]
    notes = list(dict.fromkeys(condition for condition in conditions if condition))
    if any(occurrence.outcome == "fails" for occurrence in entry.occurrences):
        notes.append("runs until it fails")
    return "; ".join(notes) or None
