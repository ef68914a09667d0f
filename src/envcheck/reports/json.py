"""Turns a Report into the JSON document of ``schema/report-1.schema.json``, the same bytes for the same facts.

Only ``scan.timing`` may differ between two scans of one tree. The text is plain ASCII; one distribution, entry or
finding stands on one line, so that two reports can be compared line by line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from envcheck.model.anchor import Anchoring
from envcheck.model.bytecode import BytecodeCoverage
from envcheck.model.environment import SiteModule
from envcheck.model.finding import Finding, Severity
from envcheck.model.inventory import Distribution, FileCounts, StandardLibraryProof, normalize_name
from envcheck.model.lock import Comparison
from envcheck.model.nouns import TypeAlias
from envcheck.model.ownership import Owner
from envcheck.model.report import EnvironmentReport, Report
from envcheck.model.startup import StartupEntry
from envcheck.reports.text import printable, unlogged
from envcheck.reports.waiver import to_paste

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.behavior import Account

SCHEMA = "envcheck/report/1"

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_OPEN_LEVELS = 4
"""Document, list of environments, environment, list of facts: what lies deeper stands on one line."""


def render(report: Report) -> str:
    """The document as text, ending in a newline."""
    return written(to_document(report))


def written(document: Json) -> str:
    """A document as text, ending in a newline."""
    # DEL is the one control character that JSON leaves alone; it can only stand inside a string.
    return unlogged(_layout(document, 0)).replace("\x7f", "\\u007f") + "\n"


def to_document(report: Report) -> dict[str, Json]:
    """The document as dictionaries and lists, keys in the contract's order, without lone surrogates."""
    invocation = report.options.invocation
    document = {
        "schema": SCHEMA,
        "tool": {"name": "envcheck", "version": report.version},
        "scan": {
            "clean_room": report.clean_room,
            "clean_room_why": report.clean_room_why,
            "python_flags": invocation.flags,
            "environ": dict(sorted(invocation.environ.items())),
            "root": report.options.root,
            "startup_only": report.options.startup_only,
            "complete": report.complete,
            "config": report.config,
            "timing": timing(report),
        },
        "environments": [environment_facts(environment) for environment in report.environments],
        "summary": summary(report),
        "exit_code": report.exit_code,
    }
    made = plain(document)
    assert isinstance(made, dict)
    return made


def timing(report: Report) -> dict[str, object]:
    """What two scans of one tree may differ in."""
    return {
        "started": report.timing.started,
        "seconds": round(report.timing.seconds, 3),
        "bytes_read": report.timing.bytes_read,
    }


def environment_facts(report: EnvironmentReport) -> dict[str, object]:
    """One environment, keys in the contract's order; `plain` makes JSON's own types of it."""
    environment, python = report.environment, report.environment.python
    inventory = report.inventory
    return {
        "path": environment.path,
        "kind": environment.kind,
        "user": None if report.invocation is None else report.invocation.environ.get("USER"),
        "home": None if report.invocation is None else report.invocation.environ.get("HOME"),
        "python": {
            "version": python.version,
            "version_source": python.version_source,
            "implementation": python.implementation,
            "abi": python.abi,
            "platform": python.platform,
            "executable": python.executable,
            "base_prefix": python.base_prefix,
            "free_threaded": python.free_threaded,
            "version_assumed": python.version_assumed,
        },
        "site_dirs": [{"path": site.path, "origin": site.origin} for site in environment.site_dirs],
        "initial_sys_path": environment.initial_path,
        "sys_path": report.plan.sys_path,
        "pyvenv": None
        if environment.cfg is None
        else {
            "path": environment.cfg.path,
            "home": environment.cfg.home,
            "include_system_site": environment.cfg.include_system_site,
            "fatal": environment.cfg.fatal,
        },
        "redirectors": [{"path": path, "effect": effect} for path, effect in environment.redirectors],
        "site_sequence": [site.path for site in environment.site_sequence],
        "path_lines": [
            {
                "path": line.path,
                "line": line.line,
                "text": line.text,
                "directory": line.directory,
                "added": line.added,
                "symbolic": line.symbolic,
            }
            for line in report.plan.path_lines
        ],
        "aborts": [
            {"path": abort.path, "line": abort.line, "why": abort.why, "certain": abort.certain}
            for abort in report.plan.aborts
        ],
        "site_module": _site_module(environment.site_module),
        "startup": [_entry(entry) for entry in report.plan.entries],
        "lock": _lock(report),
        "distributions": _distributions(inventory.distributions if inventory else (), report.comparison),
        "files": _files(inventory.counts) if inventory else None,
        "standard_library": _standard_library(inventory.standard_library if inventory else None),
        "bytecode": [_bytecode(one) for one in report.bytecode],
        "not_seen": [{"path": missed.path, "why": missed.why} for missed in sorted(report.not_seen)],
        "findings": [_finding(finding) for finding in report.findings],
    }


def _site_module(module: SiteModule | None) -> dict[str, object] | None:
    return None if module is None else module._asdict()


def _entry(entry: StartupEntry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "path": entry.path,
        "line": entry.line,
        "code": entry.code,
        "loads": entry.loads,
        "closure": [file.path for file in entry.closure],
        "closure_files": [
            {
                "path": file.path,
                "sha256": file.sha256,
                "owner": _owner(file.owner),
                "assurance": file.assurance,
                "loads": file.loads,
                "order": file.order,
                "when": file.when,
                "bytecode": file.proof.result if file.proof else None,
                "known": file.known,
                "behavior": _behavior(file.account),
            }
            for file in entry.closure
        ],
        "bytecode": entry.proof.result if entry.proof else None,
        "unresolved": entry.unresolved,
        "runs": entry.runs,
        "occurrences": [
            {"pass": one.number, "order": one.order, "outcome": one.outcome, "when": one.when}
            for one in entry.occurrences
        ],
        "reason": entry.reason,
        "when": entry.when,
        "elsewhere": entry.elsewhere,
        "rule": entry.rule,
        "shadowed_by": entry.shadowed_by,
        "owner": _owner(entry.owner),
        "assurance": entry.assurance,
        "sha256": entry.sha256,
        "verdict": entry.verdict,
        "capabilities": entry.capabilities,
        "known": entry.known,
        "behavior": _behavior(entry.account),
    }


def _behavior(account: Account | None) -> dict[str, object] | None:
    if account is None:
        return None
    return {
        "form": account.form,
        "understood": account.understood,
        "why": account.why,
        "capabilities": account.capabilities,
        "uses": [use._asdict() for use in account.uses],
        "flows": [flow._asdict() for flow in account.flows],
        "layers": [
            {
                "how": layer.how,
                "line": layer.line,
                "sha256": layer.sha256,
                "size": layer.size,
                "text": layer.text,
                "behavior": _behavior(layer.account),
            }
            for layer in account.layers
        ],
        "indicators": [indicator._asdict() for indicator in account.indicators],
        "tricks": account.tricks,
    }


def _owner(owner: Owner | None) -> dict[str, object] | None:
    return None if owner is None else {"kind": owner.kind, "name": owner.name, "version": owner.version}


def _lock(report: EnvironmentReport) -> dict[str, object] | None:
    comparison = report.comparison
    anchoring = report.inventory.anchoring if report.inventory else None
    if comparison is None:
        return None
    lock = comparison.lock
    return {
        "path": lock.path,
        "format": lock.format,
        "sha256": lock.sha256,
        "extras": sorted(lock.extras),
        "groups": sorted(lock.groups),
        "inferred": lock.inferred,
        "anchors": lock.anchors,
        "anchored": _anchoring(anchoring),
        "members": sorted(lock.members),
        "repository": {
            "state": lock.repository.state,
            "commit": lock.repository.commit,
            "why": lock.repository.why,
        },
        "missing": [
            {"name": drift.name, "version": drift.locked}
            for drift in sorted(comparison.drifts, key=lambda drift: (drift.name, drift.locked or ""))
            if drift.state == "missing"
        ],
        "repair": _repair(report, comparison),
    }


def _repair(report: EnvironmentReport, comparison: Comparison) -> dict[str, object] | None:
    """The commands that would put the environment right, for the reader to run."""
    from envcheck.checks.repair import recreate, repair, tampered, why_without_caches
    from envcheck.reports.verdict import DRIFT, open_findings

    findings = open_findings(report)
    changed = tampered(findings)
    if not changed and not any(finding.rule in DRIFT for finding in findings):
        return None
    lock = comparison.lock
    return {
        "commands": recreate(lock, report.environment.path) if changed else [repair(lock)],
        "recreate": changed,
        "why": why_without_caches(lock) if changed else None,
    }


def _anchoring(anchoring: Anchoring | None) -> dict[str, object] | None:
    if anchoring is None:
        return None
    return {
        "path": anchoring.path,
        "distributions": anchoring.distributions,
        "files": anchoring.files,
        "excepted": anchoring.excepted,
        "unanchored": [
            {"name": one.name, "version": one.version, "reason": one.reason} for one in anchoring.unanchored
        ],
    }


def _distributions(distributions: Sequence[Distribution], comparison: Comparison | None) -> list[dict[str, object]]:
    by_path: dict[str | None, str] = {}
    by_name: dict[str, str] = {}
    for drift in comparison.drifts if comparison else ():
        by_path[drift.path] = drift.state
        by_name[drift.name] = drift.state
    by_path.pop(None, None)
    keyed = sorted(((normalize_name(item.name), item.path, item) for item in distributions), key=lambda row: row[:2])
    return [
        {
            "name": item.name,
            "version": item.version,
            "installer": item.installer,
            "path": item.path,
            "files": item.files,
            "assurance": item.assurance,
            "modified": item.modified,
            "missing": item.missing,
            "entry_points": [
                {"group": group, "name": entry, "value": value} for group, entry, value in item.entry_points
            ],
            "lock": by_path.get(path) or by_name.get(name) or "unlocked",
        }
        for name, path, item in keyed
    ]


def _files(counts: FileCounts) -> dict[str, object]:
    return {
        "verified": counts.verified,
        "bytes": counts.bytes,
        "modified": counts.modified,
        "missing": counts.missing,
        "unowned": counts.unowned,
        "unreadable": counts.unreadable,
    }


def _standard_library(proof: StandardLibraryProof | None) -> dict[str, object] | None:
    return None if proof is None else dict(zip(proof._fields, proof, strict=True))


def _bytecode(one: BytecodeCoverage) -> dict[str, object]:
    return {
        "magic": one.magic,
        "version": one.version,
        "scope": one.scope,
        "files": one.files,
        "proven": one.proven,
        "mismatched": one.mismatched,
        "unproven": one.unproven,
        "interpreters": sorted(one.interpreters),
        "reasons": [{"why": why, "files": count} for why, count in one.reasons],
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.label,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "evidence": dict(finding.evidence),
        "remedy": finding.remedy,
        "fingerprint": finding.fingerprint,
        "waived": finding.waived,
        "place": finding.place,
        "content": finding.content,
        "waiver": to_paste(finding) or None,
    }


def summary(report: Report) -> dict[str, object]:
    """How many findings of each severity count, and how many are waived."""
    counts: dict[str, object] = {}
    open_findings = [finding.severity for finding in report.findings if finding.waived is None]
    for severity in sorted(Severity, reverse=True):
        counts[severity.label] = open_findings.count(severity)
    counts["waived"] = len(report.findings) - len(open_findings)
    return counts


def plain(value: object) -> Json:
    """JSON's own types all the way down, in the order given."""
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {printable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return printable(str(value))


def _layout(value: Json, level: int) -> str:
    """Lists of rows, and what holds them, indented; everything else on one line (which the C encoder writes)."""
    if level == _OPEN_LEVELS:
        return json.dumps(value)
    inner = " " * (level + 1)
    if isinstance(value, dict) and level in (0, 2):
        rows = [f"{inner}{json.dumps(key)}: {_layout(item, level + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + "\n" + " " * level + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + _layout(item, level + 1) for item in value) + "\n" + " " * level + "]"
    return json.dumps(value)
