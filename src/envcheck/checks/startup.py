"""Startup checks: what runs before the user's first line, and whether somebody answers for it."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.checks.base import check, finding, is_below, is_outside
from envcheck.checks.verdict import decisive, provenance, unclear
from envcheck.model.bytecode import Proof
from envcheck.model.facts import Facts
from envcheck.model.finding import Evidence, Finding, Rule, Severity
from envcheck.model.ownership import Assurance, Owner
from envcheck.model.startup import ClosureFile, StartupEntry

_RECREATE = (
    "keep a copy for evidence first; then recreate the environment from the lockfile without caches, "
    "and rotate the credentials that this user could read"
)

INTERACTIVE = "only when Python starts interactively"
_SAME_TIME = 3600
"""Seconds; unpacking sets the modification time that an archive has, and the change time is that of the unpacking."""
UNPROVEN = ("unrecorded", "modified")


def _evidence(entry: StartupEntry) -> tuple[tuple[str, Evidence], ...]:
    pairs: list[tuple[str, Evidence]] = [("kind", entry.kind), ("runs", entry.runs)]
    if entry.occurrences:
        pairs.append(("order", entry.occurrences[0].order))
    if entry.code is not None:
        pairs.append(("code", entry.code))
    for name, value in (
        ("loads", entry.loads),
        ("sha256", entry.sha256),
        ("when", entry.when),
        ("outside", entry.outside),
        ("elsewhere", entry.elsewhere),
    ):
        if value is not None:
            pairs.append((name, value))
    if entry.capabilities:
        pairs.append(("capabilities", list(entry.capabilities)))
    if entry.notes:
        pairs.append(("hiding", list(entry.notes)))
    pairs += [(name, _moment(seconds)) for name, seconds in entry.times]
    why = decisive(entry)
    if why is not None:
        pairs.append(("decisive", why))
    return tuple(pairs)


def _moment(seconds: int) -> str:
    """``2026-03-24 10:52 UTC``."""
    from datetime import datetime, timedelta, timezone

    try:
        return f"{datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"
    except OverflowError:
        return f"{seconds} seconds after 1970"


def _dated(entry: StartupEntry) -> str:
    """Where the times of a file contradict each other, one more sentence: evidence beside others, never a finding."""
    times = dict(entry.times)
    changed, modified = times.get("changed", 0), times.get("modified", 0)
    if abs(changed - modified) < _SAME_TIME:
        return ""
    return f" It was changed {_moment(changed)} (change time), though its modification time says {_moment(modified)}."


def ranked(facts: Facts) -> Iterator[tuple[int, StartupEntry]]:
    """Each entry and its place, from 1, among those that run; the place of the last one before it where it does not."""
    rank = 0
    for entry in facts.plan.entries:
        rank += bool(entry.runs)
        yield rank, entry


def when_it_runs(rank: int, entry: StartupEntry) -> str:
    """``Runs first, 2 times, at every start of this Python``: for messages."""
    if not entry.runs:
        return f"Does not run here: {entry.reason}"
    place = {1: "first", 2: "second", 3: "third"}.get(rank, f"as number {rank}")
    times = "" if entry.runs == 1 else f", {entry.runs} times"
    condition = f" ({entry.when})" if entry.when else ""
    if entry.when == INTERACTIVE:
        return f"Runs {place}, at every interactive start of this Python, before its prompt"
    return f"Runs {place}{times}, at every start of this Python, before your code{condition}"


def _owner_name(owner: Owner | None) -> str | None:
    return None if owner is None else owner.name


def about_entry(facts: Facts, rule: Rule, entry: StartupEntry, message: str) -> Finding:
    """A finding about a startup entry, at its file and line."""
    return finding(
        facts,
        rule,
        message=message,
        path=entry.path,
        line=entry.line,
        owner=_owner_name(entry.owner),
        subject=entry.sha256,
        evidence=_evidence(entry),
    )


def _when_it_is_loaded(entry: StartupEntry, file: ClosureFile) -> str:
    """``Loaded at every start of this Python by a.pth:1``, and under which condition, where it has one."""
    condition = f" ({file.when})" if file.when else ""
    return f"Loaded at every start of this Python by {_name(entry)}{condition}"


def about_file(facts: Facts, rule: Rule, entry: StartupEntry, file: ClosureFile, message: str) -> Finding:
    """A finding about a file that a startup entry loads; ``message`` goes on after who loads it."""
    evidence: list[tuple[str, Evidence]] = [("loaded_by", entry.path), ("sha256", file.sha256)]
    if file.account is not None and file.account.capabilities:
        evidence.append(("capabilities", list(file.account.capabilities)))
    why = decisive(file)
    if why is not None:
        evidence.append(("decisive", why))
    return finding(
        facts,
        rule,
        message=f"{_when_it_is_loaded(entry, file)}{message}",
        path=file.path,
        owner=_owner_name(file.owner),
        subject=file.sha256,
        evidence=tuple(evidence),
    )


_MODULES = {
    "codec": "a codec's module in place of the standard library's",
    "startup-module": "a module in place of one of the standard library that Python imports by itself",
    "warnings-category": "the module of a warning category that -W or PYTHONWARNINGS names",
    "pythonstartup": "the file that PYTHONSTARTUP names",
}


def _what(entry: StartupEntry) -> str:
    if entry.kind == "pth-import":
        return "an import line of a .pth file"
    if entry.kind == "start-entry-point":
        return "an entry point of a .start file"
    return _MODULES.get(entry.kind) or f"the module {entry.kind}"


def _closure(facts: Facts) -> Iterator[tuple[StartupEntry, ClosureFile]]:
    """Each file that some running entry loads, once, that is not itself an entry's file."""
    seen = {entry.path for entry in facts.plan.entries}
    for entry in facts.plan.entries:
        if entry.runs and entry.kind != "pythonstartup":
            for file in entry.closure:
                if file.path not in seen:
                    seen.add(file.path)
                    yield entry, file


def _own_assurance(item: StartupEntry | ClosureFile) -> Assurance | None:
    """That of the file itself, where bytecode that differs from it runs in its place: a finding of its own."""
    if item.proof is not None and item.proof.result == "mismatch":
        return item.proof.source_assurance
    return item.assurance


def _reason(entry: StartupEntry) -> str:
    if entry.owner is None:
        return "no installed package lists this file"
    return f"{entry.owner.name} lists it, but nothing that {entry.owner.name} claims proves its content"


@check(
    Rule(
        id="startup-code-unowned",
        severity=Severity.HIGH,
        summary="Code that no installed package accounts for runs at every start of Python.",
        why="A .pth import line, sitecustomize or usercustomize runs before the first line of any program, test or "
        "tool of this environment. Attackers plant them because no package manager lists or verifies them.",
        remedy=_RECREATE,
        example="site-packages/shop_init.pth:1  import os, subprocess, sys; subprocess.Popen(...)",
    )
)
def startup_code_unowned(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries that run, and files that they load, with nothing that vouches for the bytes."""
    for rank, entry in ranked(facts):
        # PYTHONSTARTUP's file is its user's own: startup-environment-variable names it.
        if entry.runs and _own_assurance(entry) == "unrecorded" and entry.kind != "pythonstartup":
            message = f"{when_it_runs(rank, entry)}: {_what(entry)}, and {_reason(entry)}."
            yield about_entry(facts, rule, entry, message + _conduct(entry) + _dated(entry))
    for entry, file in _closure(facts):
        if _own_assurance(file) == "unrecorded":
            message = f", and no installed package proves its content.{_conduct(file)}"
            yield about_file(facts, rule, entry, file, message)


def _conduct(item: StartupEntry | ClosureFile) -> str:
    """What of the behaviour decides, or that it is not understood, as one more sentence; nothing where neither."""
    why = decisive(item)
    if why is not None:
        return f" {why[:1].upper()}{why[1:]}."
    unknown = unclear(item)
    return "" if unknown is None else f" What it does is not understood: {unknown}."


def _name(entry: StartupEntry) -> str:
    name = entry.path.rsplit("/", 1)[-1]
    return name if entry.line is None else f"{name}:{entry.line}"


@check(
    Rule(
        id="startup-code-modified",
        severity=Severity.CRITICAL,
        summary="A startup file differs from what its package installed.",
        why="The file runs at every start of Python and its bytes are not those that the package's RECORD claims: "
        "somebody changed it after it was installed.",
        remedy=_RECREATE,
        example="site-packages/distutils-precedence.pth:1",
    )
)
def startup_code_modified(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries and closure files whose proof fails."""
    for rank, entry in ranked(facts):
        if entry.runs and _own_assurance(entry) == "modified":
            message = f"{when_it_runs(rank, entry)}. {_differs(entry.owner)}{_conduct(entry)}{_dated(entry)}"
            yield about_entry(facts, rule, entry, message)
    for entry, file in _closure(facts):
        if _own_assurance(file) == "modified":
            yield about_file(facts, rule, entry, file, f". {_differs(file.owner)}{_conduct(file)}")


def _differs(owner: Owner | None) -> str:
    return f"It differs from what {_owner_name(owner) or 'its package'} installed."


@check(
    Rule(
        id="startup-bytecode-mismatch",
        severity=Severity.CRITICAL,
        summary="Bytecode that runs at every start of Python does not come from its source.",
        why="CPython runs the .pyc in __pycache__ in place of the source, whatever the source says. A trusted "
        "interpreter compiled the source again, and got something else: somebody replaced the bytecode. Where only "
        "instructions differ, another patch release may have compiled it; that is reported as high.",
        remedy=_RECREATE,
        example="site-packages/_distutils_hack/__pycache__/__init__.cpython-311.pyc",
    )
)
def startup_bytecode_mismatch(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries and closure files whose accepted bytecode is not what their source compiles to."""
    for rank, entry in ranked(facts):
        if entry.runs and entry.proof is not None and entry.proof.result == "mismatch":
            yield _about_bytecode(facts, rule, entry, entry.proof, entry.owner, when_it_runs(rank, entry))
    for entry, file in _closure(facts):
        if file.proof is not None and file.proof.result == "mismatch":
            yield _about_bytecode(facts, rule, entry, file.proof, file.owner, _when_it_is_loaded(entry, file))


def _about_bytecode(
    facts: Facts, rule: Rule, entry: StartupEntry, proof: Proof, owner: Owner | None, when: str
) -> Finding:
    message = f"{when}, in place of {proof.source.rsplit('/', 1)[-1]}, and does not come from it: {proof.why}."
    if proof.instructions_only:
        message += " Only instructions differ: another patch release of this Python may have compiled it."
    return finding(
        facts,
        rule,
        message=message,
        path=proof.path,
        owner=_owner_name(owner),
        subject=proof.sha256,
        severity=Severity.HIGH if proof.instructions_only else None,
        evidence=(
            ("source", proof.source),
            ("loaded_by", entry.path),
            ("magic", proof.magic),
            ("difference", proof.why),
            ("instructions_only", proof.instructions_only),
            ("sha256", proof.sha256),
        ),
    )


@check(
    Rule(
        id="startup-code-suspicious",
        severity=Severity.HIGH,
        summary="Startup code that a package lists does what no startup code of a package needs to do.",
        why="The package's RECORD lists the file with this content, but whoever made the package, or changed it, wrote "
        "the RECORD. Decoding and executing code, handing code to another Python, or sending the environment away at "
        "every start of Python is how attacks on packages have worked.",
        remedy="compare the package with its source repository and with advisories about it; until that is clear, "
        "treat the environment as compromised: " + _RECREATE,
        example='site-packages/shop_init.pth:1  import subprocess, sys; subprocess.Popen([sys.executable, "-c", ...])',
    )
)
def startup_code_suspicious(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries, and files that they load, that a RECORD vouches for, and whose behaviour decides against them."""
    for rank, entry in ranked(facts):
        why = decisive(entry)
        if entry.runs and why is not None and provenance(entry) == "recorded":
            name = _owner_name(entry.owner) or "a package"
            message = f"{when_it_runs(rank, entry)}: {why}. {name} lists it in RECORD, which its maker wrote."
            yield about_entry(facts, rule, entry, message)
    for entry, file in _closure(facts):
        why = decisive(file)
        if why is not None and provenance(file) == "recorded":
            yield about_file(facts, rule, entry, file, f": {why}.")


_TRICKS = {
    "off-screen": "the code stands behind a run of blanks, beyond the right edge of a screen",
    "line-separator": "a separator that editors do not show ends a line in the middle of what looks like one",
    "leading-dot": "the name begins with a dot",
    "control-characters": "control characters stand in the line",
    "bidi": "bidirectional controls make the line read differently from what it does",
    "zero-width": "invisible characters stand in the line",
    "look-alike-letters": "letters of other alphabets stand for those of names that Python knows",
}


@check(
    Rule(
        id="startup-code-hidden",
        severity=Severity.HIGH,
        summary="Startup code is written so that a person does not see it.",
        why="No tool writes startup files with code pushed off screen, odd line separators or invisible characters; "
        "whoever wrote this wanted it overlooked.",
        remedy="read the code as envcheck shows it (--format json has it whole); if you did not write it, treat the "
        "environment as compromised",
        example="site-packages/tidy.pth:1  # comment<form feed>import tidy",
    )
)
def startup_code_hidden(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries whose text uses a trick."""
    for rank, entry in ranked(facts):
        if entry.notes:
            tricks = "; ".join(trick(note) for note in entry.notes)
            yield about_entry(facts, rule, entry, f"{when_it_runs(rank, entry)}. It is hidden: {tricks}.")


def trick(note: str) -> str:
    """A note of an entry as a clause."""
    if note.startswith("encoding "):
        return f"its first lines ask for the {note}, in which other text stands than most editors show"
    return _TRICKS.get(note, note)


@check(
    Rule(
        id="startup-bytecode-only",
        severity=Severity.HIGH,
        summary="Startup code exists only as bytecode, without a source.",
        why="Sourceless bytecode cannot be read or reviewed; packages do not ship startup code that way.",
        remedy=_RECREATE,
        example="site-packages/sitecustomize.pyc",
    )
)
def startup_bytecode_only(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Customize modules and closure files that are a ``NAME.pyc`` outside ``__pycache__``."""
    for rank, entry in ranked(facts):
        if entry.runs and entry.line is None and _is_sourceless(entry.path):
            yield about_entry(facts, rule, entry, f"{when_it_runs(rank, entry)}: bytecode without a source.")
    for entry, file in _closure(facts):
        if _is_sourceless(file.path):
            yield about_file(facts, rule, entry, file, ": bytecode without a source.")


def _is_sourceless(path: str) -> bool:
    return path.endswith(".pyc") and "/__pycache__/" not in path


@check(
    Rule(
        id="startup-shadowed",
        severity=Severity.LOW,
        summary="A second customize module exists behind the one that runs.",
        why="Only the first sitecustomize or usercustomize on sys.path runs; the one behind it runs as soon as the "
        "first is removed.",
        remedy="remove the one that should not be there, after finding out who put it there",
        example="site-packages/sitecustomize.py behind lib/python3.11/sitecustomize.py",
    )
)
def startup_shadowed(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries that another one shadows, unless their owner accounts for them."""
    for entry in facts.plan.entries:
        if entry.shadowed_by and not entry.runs and entry.assurance in UNPROVEN:
            message = f"Would run at every start of this Python if {entry.shadowed_by} did not come before it."
            yield about_entry(facts, rule, entry, message)


@check(
    Rule(
        id="startup-dormant",
        severity=Severity.MEDIUM,
        summary="Startup code that nobody accounts for lies here, and would run elsewhere.",
        why="The code does not run in this environment as it is, but it is one upgrade, flag or rename away from it.",
        remedy="find out who put the file there; remove it if no package accounts for it",
        example="site-packages/usercustomize.py where the user site is off",
    )
)
def startup_dormant(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries that do not run here, not for being shadowed, and that no one vouches for."""
    for rank, entry in ranked(facts):
        if not entry.runs and not entry.shadowed_by and entry.assurance in UNPROVEN:
            would = f" It would run {entry.elsewhere}." if entry.elsewhere else ""
            message = f"{when_it_runs(rank, entry)}.{would} No installed package accounts for it."
            yield about_entry(facts, rule, entry, message)


@check(
    Rule(
        id="startup-aborts",
        severity=Severity.HIGH,
        summary="The start of Python itself fails in this environment.",
        why="Nothing that belongs to you runs, but everything that comes before the failure does, at every attempt.",
        remedy="read the named file; recreate the environment if no package accounts for it",
        example="site-packages/broken.pth with bytes that cannot be decoded",
    )
)
def startup_aborts(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Undecodable ``.pth`` files, FIFOs, ``SystemExit`` and their like."""
    for abort in facts.plan.aborts:
        sure = "" if abort.certain else " (depending on what runs before it)"
        yield finding(
            facts,
            rule,
            message=f"Python does not finish starting{sure}: {abort.why}.",
            path=abort.path,
            line=abort.line,
            subject=abort.why,
            evidence=(("certain", abort.certain),),
        )


@check(
    Rule(
        id="startup-unresolved",
        severity=Severity.INFO,
        summary="A startup entry imports something that could not be followed.",
        why="What it loads is not part of the plan; it is named so that you can look.",
        remedy="look at the named import",
        example="import missing_module",
    )
)
def startup_unresolved(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Entries with imports that no file answers."""
    for entry in facts.plan.entries:
        if entry.runs and entry.unresolved:
            names = ", ".join(entry.unresolved[:5])
            yield finding(
                facts,
                rule,
                message=f"{_name(entry)} imports what could not be followed: {names}.",
                path=entry.path,
                line=entry.line,
                owner=_owner_name(entry.owner),
                subject=",".join(entry.unresolved),
                evidence=(("unresolved", list(entry.unresolved)),),
            )


@check(
    Rule(
        id="startup-path-outside",
        severity=Severity.LOW,
        summary="A .pth line puts a directory from outside the environment on sys.path.",
        why="Whoever can write to that directory can run code in this environment: at import, and at every start "
        "if it holds a sitecustomize. Editable installs do this on purpose, for the project's own directory.",
        remedy="remove the line, unless you know why the directory is needed",
        example="site-packages/extra.pth:1  /srv/shared/python",
    )
)
def startup_path_outside(facts: Facts, rule: Rule) -> Iterator[Finding]:
    """Path lines out of the environment that no editable install explains."""
    suppliers = {entry.outside: entry for entry in facts.plan.entries if entry.outside and entry.runs}
    editable = {
        (distribution.site_dir, distribution.project)
        for distribution in (facts.inventory.distributions if facts.inventory else ())
        if distribution.editable and distribution.project
    }
    for line in facts.plan.path_lines:
        if not is_outside(facts.environment, line):
            continue
        supplied = suppliers.get(line.directory)
        site_dir = line.path.rsplit("/", 1)[0]
        if (
            supplied is None
            and not line.symbolic
            and any(site == site_dir and is_below(line.directory, project) for site, project in editable)
        ):
            continue
        if supplied is not None:
            consequence = f"and {supplied.path.rsplit('/', 1)[-1]} in it runs at every start of this Python"
        elif line.symbolic:
            consequence = "which is whatever directory Python is started in"
        elif is_below(line.directory, facts.environment.path):
            consequence = "which is no site directory, so that nothing verifies what lies there"
        else:
            consequence = "which is outside this environment"
        yield finding(
            facts,
            rule,
            message=f"Puts {line.directory} on sys.path, {consequence}.",
            path=line.path,
            line=line.line,
            subject=line.text.strip(),
            severity=Severity.HIGH if supplied is not None or line.symbolic else None,
            evidence=(("directory", line.directory), ("code", line.text)),
        )


CHECKS = (
    startup_code_modified,
    startup_bytecode_mismatch,
    startup_code_unowned,
    startup_code_suspicious,
    startup_code_hidden,
    startup_bytecode_only,
    startup_aborts,
    startup_path_outside,
    startup_dormant,
    startup_shadowed,
    startup_unresolved,
)
