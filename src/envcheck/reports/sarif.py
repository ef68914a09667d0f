"""Turns a Report into a SARIF 2.1.0 log (OASIS), for code scanning and the tools that read it.

One run over all environments. Files of the project get URIs relative to ``%SRCROOT%``, all others absolute ``file:``
ones. Every text is made visible and its brackets and braces escaped, so that none of it becomes a link or a placeholder
(SARIF 2.1.0, 3.11.5 and 3.11.6).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from envcheck.checks.registry import all_rules
from envcheck.model.finding import Finding, Rule, Severity
from envcheck.model.report import EnvironmentReport, Report
from envcheck.reports.text import shorten, unlogged, visible
from envcheck.reports.uri import directory_uri, file_uri, relative_uri
from envcheck.reports.waiver import to_paste

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}
"""``security-severity``: what code scanning sorts by; the middle of each of its own bands."""
MEANINGS = {0: "nothing found", 1: "findings", 3: "incomplete"}
_LONGEST = 4000

_ESCAPES = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})


def render(report: Report, directory: str | None = None) -> str:
    """The log as text; ``directory`` is the project's own, by default the one that the scan was started in."""
    base = directory or report.options.invocation.directory
    return unlogged(json.dumps(to_log(report, base), indent=1)).replace("\x7f", "\\u007f") + "\n"


def to_log(report: Report, base: str | None) -> dict[str, object]:
    """The log as dictionaries and lists."""
    # Paths of another machine's root are no files of the project here.
    base = None if report.options.root is not None else base
    rules = {rule.id: rule for rule in all_rules()}
    for finding in report.findings:
        rules.setdefault(finding.rule, Rule(finding.rule, finding.severity, finding.rule, "", finding.remedy))
    index = {name: number for number, name in enumerate(rules)}
    run: dict[str, object] = {
        "tool": {
            "driver": {
                "name": "envcheck",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [_rule(rule) for rule in rules.values()],
                "notifications": [
                    {"id": "not-seen", "shortDescription": {"text": "Something could not be read, or not whole."}}
                ],
            }
        },
        "automationDetails": {"id": "envcheck/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, base)],
        "results": list(_results(report, base, index)),
    }
    if base is not None:
        run["originalUriBaseIds"] = {BASE: {"uri": directory_uri(base)}}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def escaped(text: str) -> str:
    """Text of a message: all of it seen, none of it a link or a placeholder."""
    return shorten(text, _LONGEST).translate(_ESCAPES)


def _rule(rule: Rule) -> dict[str, object]:
    example = f"\n\nExample: {rule.example}" if rule.example else ""
    shown = f"\n\n**Example:** {_code_span(rule.example)}" if rule.example else ""
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": {"text": escaped(rule.summary)},
        "fullDescription": {"text": escaped(f"{rule.summary} {rule.why}".strip())},
        "help": {
            "text": escaped(f"{rule.why} What to do: {rule.remedy}.") + escaped(example).replace("⟨LF⟩", "\n"),
            "markdown": f"**{rule.summary}**\n\n{rule.why}\n\n**What to do:** {rule.remedy}.{shown}",
        },
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": ["security", "supply-chain"],
            "precision": "very-high",
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
                LEVELS[rule.severity]
            ],
            "security-severity": SCORES[rule.severity],
        },
    }


def _code_span(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _invocation(report: Report, base: str | None) -> dict[str, object]:
    made: dict[str, object] = {
        "executionSuccessful": report.complete,
        "exitCode": report.exit_code,
        "exitCodeDescription": MEANINGS.get(report.exit_code, "error"),
        "startTimeUtc": report.timing.started,
        "toolExecutionNotifications": [
            {
                "descriptor": {"id": "not-seen", "index": 0},
                "level": "error",
                "message": {"text": escaped(f"Not seen: {missed.path} ({missed.why})")},
                "locations": [{"physicalLocation": {"artifactLocation": _artifact(missed.path, base)}}],
            }
            for environment in report.environments
            for missed in sorted(environment.not_seen)
        ],
        "properties": {
            "cleanRoom": report.clean_room,
            "complete": report.complete,
            "pythonFlags": [visible(flag) for flag in report.options.invocation.flags],
        },
    }
    if base is not None:
        made["workingDirectory"] = {"uri": directory_uri(base)}
    return made


def _results(report: Report, base: str | None, index: Mapping[str, int]) -> Iterator[dict[str, object]]:
    seen: dict[str, int] = {}
    for environment in report.environments:
        for finding in environment.findings:
            hexadecimal = finding.fingerprint.partition(":")[2]
            # Several lines of one file may have one fingerprint, which knows no line: they are told apart by number.
            seen[hexadecimal] = seen.get(hexadecimal, 0) + 1
            yield _result(environment, finding, base, index, f"{hexadecimal}:{seen[hexadecimal]}")


def _result(
    environment: EnvironmentReport, finding: Finding, base: str | None, index: Mapping[str, int], identity: str
) -> dict[str, object]:
    made: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": escaped(f"{finding.message} What to do: {finding.remedy}.")},
        "locations": [_location(environment, finding, base)],
        "partialFingerprints": {"envcheck/v1": identity, "primaryLocationLineHash": identity},
        "properties": {
            "severity": finding.severity.label,
            "security-severity": SCORES[finding.severity],
            "environment": visible(environment.environment.path),
            "evidence": {visible(name): _evidence(value) for name, value in finding.evidence},
        },
    }
    waiver = to_paste(finding)
    if waiver:
        assert isinstance(made["properties"], dict)
        made["properties"]["waiver"] = waiver
    if finding.waived is not None:
        made["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": shorten(finding.waived, _LONGEST)}
        ]
    return made


def _location(environment: EnvironmentReport, finding: Finding, base: str | None) -> dict[str, object]:
    region: dict[str, object] = {"startLine": max(finding.line or 1, 1)}
    code = dict(finding.evidence).get("code")
    if finding.line is not None and isinstance(code, str):
        region["snippet"] = {"text": shorten(code, _LONGEST)}
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(finding.path or _place(environment), base),
            "region": region,
        }
    }


def _place(environment: EnvironmentReport) -> str:
    """Where a finding stands that has no file of its own: at the lock, else at the environment."""
    return environment.comparison.lock.path if environment.comparison else environment.environment.path


def _artifact(path: str, base: str | None) -> dict[str, object]:
    relative = relative_uri(path, base)
    return {"uri": file_uri(path)} if relative is None else {"uri": relative, "uriBaseId": BASE}


def _evidence(value: object) -> object:
    if isinstance(value, str):
        return shorten(value, _LONGEST)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {visible(str(key)): _evidence(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_evidence(item) for item in value]
    return visible(str(value))
