"""A baseline: findings and startup code that a team has accepted, from a Report into a file and back.

The file is JSON in ASCII, a row a line, sorted, without times and absolute paths: a change of it can be reviewed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from envcheck.checks.base import relative_path
from envcheck.model.errors import UsageError
from envcheck.model.policy import Baseline
from envcheck.model.printable import printable
from envcheck.model.report import Report
from envcheck.policy.content import Digest, entry_content

SCHEMA = "envcheck/baseline/1"
NAME = "envcheck.baseline.json"
_HEX = frozenset("0123456789abcdef")


def write_baseline(report: Report, digest: Digest) -> str:
    """The text of a baseline of everything in a report; ``digest`` reads files of its environments."""
    findings, startup = set(), set()
    for one in report.environments:
        for finding in one.findings:
            # What was not read cannot be accepted, and a list that is not kept needs no acceptance.
            if finding.content is not None and finding.rule not in ("scan-incomplete", "startup-entry-new"):
                place = printable(finding.place or "")
                findings.add((place, finding.rule, finding.fingerprint, finding.content))
        for entry in one.plan.entries:
            content = entry_content(one.environment, entry, digest) if entry.runs else None
            if content is not None:
                place = printable(relative_path(one.environment, entry.path))
                startup.add((place, entry.kind, printable(entry.owner.name) if entry.owner else None, content))
    rows = [_row(place=p, rule=r, fingerprint=f, content=c) for p, r, f, c in sorted(findings)]
    entries = [
        _row(place=p, kind=k, owner=o, content=c) for p, k, o, c in sorted(startup, key=lambda row: (row[0], row[3]))
    ]
    return (
        f'{{\n"schema": {json.dumps(SCHEMA)},\n"findings": {_list(rows)},\n"startup": {_list(entries)}\n}}\n'
    ).replace("\x7f", "\\u007f")


def read_baseline(data: bytes, path: str) -> Baseline:
    """A baseline, read strictly. Raises `UsageError` with the file and the key."""
    hint = "write it again: envcheck baseline write"
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({str(error)[:80]})", hint) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path}: schema: expected {SCHEMA!r}", hint)
    findings, startup = set(), set()
    for key, keys in (("findings", ("fingerprint", "content")), ("startup", ("content",))):
        rows = document.get(key)
        if not isinstance(rows, list):
            raise UsageError(f"{path}: {key}: expected a list", hint)
        for number, row in enumerate(rows):
            values = [row.get(name) if isinstance(row, dict) else None for name in keys]
            for name, value in zip(keys, values, strict=True):
                if not isinstance(value, str) or not _is_digest(value.removeprefix("envcheck/1:")):
                    raise UsageError(f"{path}: {key}[{number}].{name}: expected a digest", hint)
            if key == "findings":
                findings.add((str(values[0]), str(values[1])))
            else:
                startup.add(str(values[0]))
    return Baseline(path, frozenset(findings), frozenset(startup))


def difference(old: str, new: str) -> list[str]:
    """Rows that one text has and the other has not, as ``+`` and ``-`` lines."""
    before, after = set(_rows(old)), set(_rows(new))
    return [f"+ {row}" for row in sorted(after - before)] + [f"- {row}" for row in sorted(before - after)]


def _rows(text: str) -> Sequence[str]:
    return [line.strip().rstrip(",") for line in text.splitlines() if line.strip().startswith("{") and ":" in line]


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= _HEX


def _row(**fields: str | None) -> str:
    return json.dumps(fields)


def _list(rows: list[str]) -> str:
    return "[\n " + ",\n ".join(rows) + "\n]" if rows else "[]"
