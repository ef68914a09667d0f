"""Turns what was found in one environment into the sentence that a report for people begins with.

The sentence names the worst thing in plain words. One table, most telling first within a severity, so that a reader
can predict it.
"""

from envcheck.model.finding import Finding, Severity
from envcheck.model.nouns import Literal, NamedTuple
from envcheck.model.report import EnvironmentReport, Report
from envcheck.reports import words

Mood = Literal["good", "doubtful", "bad"]

SENTENCES = {
    "known-malicious": "Code that is known to be malicious is in this environment",
    "startup-code-modified": "Code that runs at every start of Python was changed after it was installed",
    "startup-bytecode-mismatch": "Bytecode that runs at every start of Python does not come from its source",
    "startup-code-unowned": "Code that no installed package accounts for runs at every start of Python",
    "startup-bytecode-only": "Code without a source runs at every start of Python",
    "startup-code-suspicious": "Code that runs at every start of Python does what no startup code needs to do",
    "startup-code-hidden": "Startup code is written so that a person does not see it",
    "startup-path-outside": "Code from outside this environment runs at every start of Python",
    "startup-path-writable": "Others can change code that runs at every start of Python",
    "startup-aborts": "Python fails to start in this environment",
    "interpreter-redirected": "Python is made to take its own modules from somewhere else",
    "venv-interpreter-replaced": "The interpreter of this environment is not the one that pyvenv.cfg names",
    "venv-home-moved": "The base interpreter of this environment is not the one that it was made with",
    "site-module-modified": "The module that decides what Python runs at its start was changed",
    "record-forged": "Installed files were changed, and their RECORD was rewritten to match",
    "archive-mismatch": "An archive that packages were installed from is not the one that the lock names",
    "file-modified": "Installed files were changed after they were installed",
    "bytecode-mismatch": "Bytecode that Python runs does not come from its source",
    "phantom-module": "A module that no package accounts for is imported by tools that look for it",
    "file-unowned": "Code that no installed package accounts for can be imported here",
    "script-modified": "A command of this environment is not what its package installed",
    "script-unowned": "A command of this environment belongs to no installed package",
    "script-shadows-command": "A file in the scripts directory takes the place of a system command",
    "venv-activate-modified": "Activating this environment runs commands that the tool which made it did not write",
}
"""What a finding of high or critical severity says of the whole environment."""

NOTHING_RUNS = "Nothing but Python itself runs when Python starts"

DRIFT = ("lock-version", "lock-missing", "lock-extra", "lock-source")
"""Rules that say of one package that it is not what the lock asks for."""

_PRIORITY = {rule: index for index, rule in enumerate(SENTENCES)}


class Opening(NamedTuple):
    """The beginning of a report: how it went, the sentence, and what must be said in the same breath."""

    mood: Mood
    sentence: str
    more: tuple[str, ...] = ()


def opening(report: Report, environment: EnvironmentReport) -> Opening:
    """The verdict on one environment: the worst finding, else drift, else that nothing unexpected runs."""
    counted = open_findings(environment)
    view = f"({words.whose_view(environment.environment, report.modelled(environment))})"
    doubts = _doubts(report, environment)
    # That the start is clean is only said where nothing could have made it look so.
    aside = _whole(doubts) or _startup_aside(environment)
    worst = max((finding.severity for finding in counted), default=Severity.INFO)
    drifted = sum(finding.rule in DRIFT for finding in counted)
    first = min(counted, key=_telling, default=None)
    if first is not None and worst >= Severity.HIGH and first.rule not in DRIFT:
        sentence = SENTENCES.get(first.rule) or f"Something in this environment is not as it should be: {first.rule}"
        return Opening("bad", f"{sentence} {view}.", aside)
    if drifted:
        verb = "package is" if drifted == 1 else "packages are"
        sentence = f"{drifted:,} {verb} not what {words.lock_name(environment)} asks for {view}."
        mood: Mood = "bad" if worst >= Severity.HIGH else "doubtful"
        return Opening(mood, sentence, aside)
    telling = sum(f.severity >= Severity.MEDIUM and not f.rule.startswith("scan-") for f in counted)
    if telling:
        verb = "thing needs" if telling == 1 else "things need"
        return Opening("doubtful", f"{telling:,} {verb} a look {view}.", aside)
    if doubts:
        return Opening("doubtful", f"Nothing unexpected was found {view}, but {doubts[0]}.", _whole(doubts[1:]))
    if not any(entry.runs for entry in environment.plan.entries):
        return Opening("good", f"{NOTHING_RUNS} {view}.")
    return Opening("good", f"{_startup_sentence(environment)} {view}.")


def open_findings(environment: EnvironmentReport) -> list[Finding]:
    """Those that nobody waived."""
    return [finding for finding in environment.findings if finding.waived is None]


def _telling(finding: Finding) -> tuple[int, int]:
    """Sorts the most telling finding first."""
    return -finding.severity, _PRIORITY.get(finding.rule, len(_PRIORITY))


def _startup_sentence(environment: EnvironmentReport) -> str:
    accepted = any(entry.runs and entry.verdict in ("unexpected", "hostile") for entry in environment.plan.entries)
    return "Nothing unexpected runs when Python starts" + (", beyond what is waived" if accepted else "")


def _startup_aside(environment: EnvironmentReport) -> tuple[str, ...]:
    """That the start is clean, where the sentence was about something else, and only where it is."""
    about_startup = ("startup-", "known-", "interpreter-", "site-module-", "venv-")
    if any(f.rule.startswith(about_startup) and f.severity >= Severity.MEDIUM for f in open_findings(environment)):
        return ()
    return (f"{_startup_sentence(environment)}.",)


def _doubts(report: Report, environment: EnvironmentReport) -> list[str]:
    """What keeps the absence of findings from meaning anything, as clauses."""
    doubts = []
    if environment.plan.not_modelled is not None:
        doubts.append(f"what runs when it starts is not known: {environment.plan.not_modelled}")
    if environment.not_seen:
        doubts.append(f"the scan is incomplete: {words.plural(len(environment.not_seen), 'thing')} could not be read")
    if not report.clean_room:
        why = report.clean_room_why or "its own code or interpreter lies in what it scanned"
        doubts.append(f"this scan was not a clean one, and code planted here could have answered in its place: {why}")
    return doubts


def _whole(clauses: list[str]) -> tuple[str, ...]:
    return tuple(f"{clause[:1].upper()}{clause[1:]}." for clause in clauses)
