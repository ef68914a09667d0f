"""Turns a Report into what a GitHub workflow shows: annotations, a line a finding, and a job's summary in Markdown.

A line is one workflow command, of which nothing else can become one: what it says is made visible first, so that it
has no line ends, and then escaped as the runner takes it apart (``ActionCommand`` of the runner: ``%``, line ends; in
properties ``:`` and ``,`` besides).
"""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.finding import Finding, Severity
from envcheck.model.report import EnvironmentReport, Report
from envcheck.policy.outcome import fails
from envcheck.reports import words
from envcheck.reports.text import shorten
from envcheck.reports.verdict import open_findings, opening

_LONGEST = 2000
_MOST_ROWS = 100
"""Rows of one table: a summary ends at a mebibyte."""
_MARKS = {"good": "✔", "doubtful": "!", "bad": "✘"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_MARKDOWN = str.maketrans({character: f"&#{ord(character)};" for character in "\\`*_{}[]()<>#+-.!|~&@:/'\"=$^"})
"""As entities, which no reader of Markdown takes for markup, a link, a mention, an issue or an image."""


def render(report: Report, directory: str | None = None) -> str:
    """The annotations; ``directory`` is the checkout, by default where the scan was started."""
    base = directory or report.options.invocation.directory
    lines = [line for environment in report.environments for line in _annotations(report, environment, base)]
    return "".join(line + "\n" for line in lines)


def summary(report: Report) -> str:
    """The job's summary, in Markdown."""
    parts = [part for environment in report.environments for part in _section(report, environment)]
    exits = {0: "passed", 1: "found something", 3: "is incomplete"}.get(report.exit_code, "failed")
    parts.append(f"envcheck {inline(report.version)} {exits} (exit {report.exit_code}).")
    return "\n\n".join(parts) + "\n"


def command(level: str, message: str, **properties: str | int | None) -> str:
    """One workflow command."""
    told = ",".join(
        f"{name}={shorten(str(value), _LONGEST).translate(_PROPERTY)}"
        for name, value in properties.items()
        if value is not None
    )
    return f"::{level} {told}::{shorten(message, _LONGEST).translate(_DATA)}"


def inline(text: str, limit: int = _LONGEST) -> str:
    """Text that stands in Markdown as itself."""
    return shorten(text, limit).translate(_MARKDOWN)


def block(code: str) -> str:
    """Code as HTML that GitHub shows preformatted; a line feed is marked and breaks the line."""
    shown = shorten(code, _LONGEST)
    return f"<pre><code>{shown.translate(_MARKDOWN)}</code></pre>"


def _annotations(report: Report, environment: EnvironmentReport, base: str | None) -> Iterator[str]:
    for finding in open_findings(environment):
        yield command(
            _level(report, finding),
            f"{finding.message} What to do: {finding.remedy}. ({finding.rule})",
            title=f"{finding.severity.label}: {finding.rule}",
            **_where(report, finding, base),
        )
    for missed in sorted(environment.not_seen):
        yield command("warning", f"Not seen: {missed.path} ({missed.why})", title="envcheck: incomplete")
    waived = len(environment.findings) - len(open_findings(environment))
    if waived:
        yield command("notice", f"{words.plural(waived, 'finding is', 'findings are')} waived", title="envcheck")


def _level(report: Report, finding: Finding) -> str:
    """What fails the run is an error, whatever its severity."""
    if finding.severity >= Severity.HIGH or fails(finding, report.options.fail_on, report.options.fail_on_drift):
        return "error"
    return "warning" if finding.severity == Severity.MEDIUM else "notice"


def _where(report: Report, finding: Finding, base: str | None) -> dict[str, str | int | None]:
    """The file, where it lies in the checkout: GitHub knows no other."""
    relative = words.below(finding.path, base) if finding.path and report.options.root is None else None
    return {"file": relative, "line": finding.line if relative is not None else None}


def _section(report: Report, environment: EnvironmentReport) -> Iterator[str]:
    verdict = opening(report, environment)
    yield f"## {_MARKS[verdict.mood]} {inline(verdict.sentence)}"
    head = [
        words.header(environment.environment, report.modelled(environment)),
        words.implementation(environment.environment),
    ]
    clauses = [*head, *verdict.more, *words.coverage(environment, report.options.startup_only)]
    yield "\n".join(f"- {inline(clause)}" for clause in clauses)
    findings = open_findings(environment)
    telling = [finding for finding in findings if finding.severity > Severity.INFO]
    if telling:
        yield _findings(environment, telling)
    for finding in telling[:_MOST_ROWS]:
        code = dict(finding.evidence).get("code")
        if isinstance(code, str) and finding.path is not None:
            place = words.at_line(words.place(environment.environment, finding.path), finding.line)
            yield f"<details><summary>{inline(place)}</summary>\n\n{block(code)}\n\n</details>"
    notes = len(findings) - len(telling)
    waived = len(environment.findings) - len(findings)
    counted = [f"{words.plural(notes, 'note')}"] * bool(notes) + [f"{waived:,} waived"] * bool(waived)
    if counted:
        yield ", ".join(counted) + "."
    if environment.not_seen:
        rows = [
            f"- {inline(missed.path)}: {inline(missed.why)}" for missed in sorted(environment.not_seen)[:_MOST_ROWS]
        ]
        rest = len(environment.not_seen) - len(rows)
        yield "### Not seen\n\n" + "\n".join([*rows, *([f"- {rest:,} more"] if rest else [])])


def _findings(environment: EnvironmentReport, findings: list[Finding]) -> str:
    lines = ["| severity | where | what | rule | what to do |", "|---|---|---|---|---|"]
    for finding in findings[:_MOST_ROWS]:
        place = words.place(environment.environment, finding.path) if finding.path else "this environment"
        cells = (
            finding.severity.label,
            words.at_line(place, finding.line),
            finding.message,
            finding.rule,
            finding.remedy,
        )
        lines.append("| " + " | ".join(inline(cell) for cell in cells) + " |")
    if len(findings) > _MOST_ROWS:
        lines.append(f"\n{len(findings) - _MOST_ROWS:,} more findings are in the other reports.")
    return "\n".join(lines)
