"""Turns a Report into one HTML file: opens offline, asks for nothing, the verdict first.

The page is made by Jinja, which escapes every value; each is made visible before that. A policy in the page allows
exactly its own style and script, by their hashes, and no request at all. What the page says is there without the
script, which only filters and sorts.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from envcheck.files.shipped import shipped
from envcheck.model.errors import UsageError
from envcheck.model.finding import Evidence, Finding, Severity
from envcheck.model.nouns import NamedTuple
from envcheck.model.report import EnvironmentReport, Report
from envcheck.model.startup import StartupEntry
from envcheck.reports import words
from envcheck.reports.text import pieces, shorten
from envcheck.reports.verdict import open_findings, opening
from envcheck.reports.waiver import to_paste

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jinja2 import Environment

_LONGEST_TEXT, _LONGEST_CODE, _CODE_OF_A_PAGE = 4_000, 100_000, 1_000_000
_LONG = 40
"""Evidence of so many characters is a sentence or a list, which a message may have."""
_HASHES = ("sha256", "expected")
"""Evidence that always stands in its own row."""
_MOST_PATHS = 200
_MARKS = {"good": "✔", "doubtful": "!", "bad": "✘"}
_MOODS = {"good": "good", "doubtful": "look", "bad": "bad"}

LIMITS = (
    "What runs after the first line of your program, and what its packages do when they are imported there.",
    "Whether code that its owner put there on purpose is harmless: that a file is recorded says who listed it.",
    "Changes by somebody who also rewrote the lists that files were compared with, where no lock proves them.",
    "Other users' site directories and variables, and other ways of starting this Python than the one named above.",
    "The operating system, the C library and the memory of processes that run already.",
)
"""What a clean report does not say."""


class Run(NamedTuple):
    """Characters of code that are shown alike: as they are, or as a mark for what could not be seen."""

    text: str
    marked: bool


def require_engine() -> None:
    """Raise `UsageError` where the template engine is not installed."""
    _engine()


def render(report: Report) -> str:
    """The page."""
    engine = _engine()
    style, script = _template("page.css"), _template("page.js")
    budget = Budget(_CODE_OF_A_PAGE)
    return engine.get_template("page.html").render(
        style=style,
        script=script,
        policy=_policy(style, script),
        title=_text(_title(report)),
        version=_text(report.version),
        timing=report.timing,
        read=words.size(report.timing.bytes_read),
        started=_text(words.started_sentence(report)),
        exit_code=report.exit_code,
        config=None if report.config is None else _text(report.config),
        limits=LIMITS,
        severities=[severity.label for severity in sorted(Severity, reverse=True)],
        environments=[_environment(report, one, number, budget) for number, one in enumerate(report.environments, 1)],
    )


class Budget:
    """How many characters of code a page may still hold: one entry cannot make it too big to open."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, code: str) -> dict[str, object]:
        """The code as runs of text and marks, and how many characters did not fit."""
        room = min(_LONGEST_CODE, self.left)
        runs: list[Run] = []
        taken = length = 0
        for shown, count in pieces(code):
            if length + len(shown) > room:
                break
            marked = shown[0] == "⟨"
            if runs and runs[-1].marked == marked and not marked:
                runs[-1] = Run(runs[-1].text + shown, marked)
            else:
                runs.append(Run(shown, marked))
            length += len(shown)
            taken += count
        self.left -= length
        return {"runs": runs, "rest": len(code) - taken, "length": len(code)}


def _engine() -> Environment:
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError:
        raise UsageError(
            "the HTML report needs Jinja, which is not installed here",
            "install envcheck with its extra: envcheck-scan[html]",
        ) from None
    return Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _template(name: str) -> str:
    return shipped("envcheck.reports", f"templates/{name}").decode("utf-8")


def _policy(style: str, script: str) -> str:
    """A content security policy: this style, this script, nothing else from anywhere."""

    def allowed(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; style-src {allowed(style)}; script-src {allowed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _title(report: Report) -> str:
    names = [words.header(one.environment, report.modelled(one)) for one in report.environments]
    return f"envcheck: {', '.join(names[:3])}"


def _environment(report: Report, one: EnvironmentReport, number: int, budget: Budget) -> dict[str, object]:
    environment, verdict = one.environment, opening(report, one)
    counted = open_findings(one)
    plan = one.plan
    running = [entry for entry in plan.entries if entry.runs]
    return {
        "id": f"e{number}",
        "name": _text(words.header(environment, report.modelled(one))),
        "path": _text(environment.path),
        "python": _text(words.implementation(environment)),
        "view": _text(words.whose_view(environment, report.modelled(one))),
        "mood": _MOODS[verdict.mood],
        "mark": _MARKS[verdict.mood],
        "sentence": _text(verdict.sentence),
        "more": [_text(sentence) for sentence in verdict.more],
        "counts": [
            {"severity": severity.label, "count": count}
            for severity in sorted(Severity, reverse=True)
            if (count := sum(finding.severity == severity for finding in counted))
        ],
        "coverage": [_text(clause) for clause in words.coverage(one, report.options.startup_only)],
        "findings": [_finding(one, finding, budget) for finding in counted],
        "waived": [_finding(one, finding, budget) for finding in one.findings if finding.waived is not None],
        "not_modelled": None if plan.not_modelled is None else _text(plan.not_modelled),
        "running": [_entry(one, entry, order, budget) for order, entry in enumerate(running, 1)],
        "dormant": [_entry(one, entry, None, budget) for entry in plan.entries if not entry.runs],
        "aborts": [
            {"place": _place(one, abort.path, abort.line), "why": _text(abort.why), "certain": abort.certain}
            for abort in plan.aborts
        ],
        "distributions": _distributions(one),
        "counted": one.inventory.counts if one.inventory else None,
        "lock": _text(words.lock_sentence(one.comparison)),
        "drifts": _drifts(one),
        "not_seen": [{"path": _text(missed.path), "why": _text(missed.why)} for missed in sorted(one.not_seen)],
    }


def _finding(one: EnvironmentReport, finding: Finding, budget: Budget) -> dict[str, object]:
    evidence = dict(finding.evidence)
    code = evidence.get("code")
    paths = _strings(evidence.get("paths")) or _strings(evidence.get("entries"))
    shown = ("code", "paths", "entries", "examples", "kind", "runs", "order", "count", "name", "installed")
    return {
        "rule": _text(finding.rule),
        "severity": finding.severity.label,
        "rank": int(finding.severity),
        "place": _place(one, finding.path, finding.line) if finding.path else "this environment",
        "message": _text(finding.message),
        "remedy": _text(finding.remedy),
        "code": budget.take(code) if isinstance(code, str) else None,
        "paths": [_text(words.place(one.environment, path)) for path in paths[:_MOST_PATHS]],
        "more_paths": max(len(paths) - _MOST_PATHS, 0),
        # What the message says already is not said again.
        "evidence": [
            (_text(name), _told(value))
            for name, value in finding.evidence
            if name not in shown
            and (name in _HASHES or len(told := _told(value)) <= _LONG or told not in _text(finding.message))
        ],
        "fingerprint": finding.fingerprint,
        "waived": None if finding.waived is None else _text(finding.waived),
        "waiver": to_paste(finding),
    }


def _entry(one: EnvironmentReport, entry: StartupEntry, order: int | None, budget: Budget) -> dict[str, object]:
    environment = one.environment
    return {
        "order": order,
        "kind": _text(entry.kind),
        "place": _place(one, entry.path, entry.line),
        "path": _text(entry.path),
        "owner": _text(words.owner_name(entry.owner)) if entry.owner else "no owner",
        "proof": _text(words.PROOF.get(entry.assurance, entry.assurance)),
        "sentence": _text(words.proof_sentence(entry.owner, entry.assurance)),
        "verdict": entry.verdict,
        "does": [_text(words.CAPABILITIES.get(name, name)) for name in entry.capabilities],
        "special": _text(words.runs_sentence(entry) or ""),
        "times": entry.runs,
        "reason": _text(entry.reason or "skipped") if not entry.runs else "",
        "elsewhere": _text(entry.elsewhere or ""),
        "code": None if entry.code is None else budget.take(entry.code),
        "loads": [
            {
                "place": _place(one, file.path, None),
                "owner": _text(words.owner_name(file.owner)) if file.owner else "no owner",
                "proof": _text(words.PROOF[file.assurance]) if file.assurance else "not looked up",
                "bytecode": _text(words.short_place(environment, file.loads)) if file.loads else "",
            }
            for file in entry.closure
        ],
        "unresolved": [_text(name) for name in entry.unresolved],
        "sha256": entry.sha256 or "",
    }


def _distributions(one: EnvironmentReport) -> list[dict[str, object]]:
    if one.inventory is None:
        return []
    states = {drift.path: drift.state for drift in one.comparison.drifts} if one.comparison else {}
    return [
        {
            "name": _text(item.name),
            "version": _text(item.version),
            "installer": _text(item.installer or ""),
            "files": item.files,
            "proof": _text(words.PROOF.get(item.assurance, item.assurance)),
            "modified": item.modified,
            "missing": item.missing,
            "lock": _text(states.get(item.path, "unlocked")),
            "path": _text(words.place(one.environment, item.path)),
        }
        for item in sorted(one.inventory.distributions, key=lambda item: (item.key, item.path))
    ]


def _drifts(one: EnvironmentReport) -> list[dict[str, str]]:
    return [
        {
            "name": _text(drift.name),
            "state": _text(drift.state),
            "installed": _text(drift.installed or "–"),
            "locked": _text(drift.locked or "–"),
            "detail": _text(drift.detail or ""),
        }
        for drift in (one.comparison.drifts if one.comparison else ())
        if drift.state != "match"
    ]


def _place(one: EnvironmentReport, path: str, line: int | None) -> str:
    return _text(words.at_line(words.short_place(one.environment, path), line))


def _text(text: str) -> str:
    """Text that can be shown; Jinja escapes it besides."""
    return shorten(text, _LONGEST_TEXT)


def _told(value: Evidence) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_text(name)}: {_told(item)}" for name, item in value.items())
    return ", ".join(_told(item) for item in value)


def _strings(value: Evidence) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []
