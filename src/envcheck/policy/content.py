"""Turns a startup entry, or a finding, into one digest of everything that a decision about it rests on.

A waiver holds for one such digest. For startup code it covers the code itself, every file that it loads by import and
the bytecode that runs in their place: a change of any of them is another digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from envcheck.checks.base import relative_path
from envcheck.model.environment import Environment
from envcheck.model.finding import Evidence, Finding
from envcheck.model.sha256 import sha256
from envcheck.model.startup import StartupEntry, StartupPlan

Digest = Callable[[str], "str | None"]
"""The sha256 of a file's bytes; ``None`` where they cannot be read."""

_NOT_CONTENT = frozenset({"order", "runs", "examples", "detail", "capabilities", "hiding", "when", "elsewhere"})
"""Evidence that changes with what stands around a finding, or is put in words: another release may word it anew."""


def entry_content(environment: Environment, entry: StartupEntry, digest: Digest) -> str | None:
    """The digest of a startup entry; ``None`` where a file of it could not be read: then nothing can be accepted."""
    rows = [f"kind={entry.kind}", f"code={entry.code or ''}"]
    files = [(entry.path, entry.sha256)]
    if entry.loads is not None:
        files.append((entry.loads, None))
    for file in entry.closure:
        files.append((file.path, file.sha256))
        if file.loads is not None:
            files.append((file.loads, None))
    for path, known in files:
        found = known or digest(path)
        if found is None:
            return None
        rows.append(f"file={relative_path(environment, path)}={found}")
    rows += [f"unresolved={name}" for name in sorted(entry.unresolved)]
    return _digest_of(rows)


def finding_content(
    environment: Environment, entries: Mapping[str, Sequence[StartupEntry]], finding: Finding, digest: Digest
) -> str | None:
    """The digest of a finding: of the startup code that it is about, else of its evidence and the files it names.

    ``entries`` are those of the plan, by path and, one by one, by `place_of` path and line.
    """
    rows = [f"fingerprint={finding.fingerprint}"]
    if finding.rule.startswith("startup-"):
        about = entries.get(place_of(finding.path or "", finding.line), ())
        for entry in about:
            found = entry_content(environment, entry, digest)
            if found is None:
                return None
            rows.append(f"entry={found}")
        if about:
            return _digest_of(rows)
    evidence = dict(finding.evidence)
    paths = evidence.get("paths")
    named = [finding.path] if finding.path is not None else []
    if isinstance(paths, Sequence) and not isinstance(paths, str):
        named += [path for path in paths if isinstance(path, str)]
    for path in dict.fromkeys(named):
        # A directory has no bytes, and what is missing has none to change.
        rows.append(f"file={relative_path(environment, path)}={digest(path) or 'none'}")
    for name, value in sorted(evidence.items()):
        if name not in _NOT_CONTENT:
            rows.append(f"evidence={name}={_canonical(environment, value)}")
    return _digest_of(rows)


def place_of(path: str, line: int | None) -> str:
    """A key for a place."""
    return path if line is None else f"{path}\0{line}"


def with_contents(
    environment: Environment, plan: StartupPlan, findings: Sequence[Finding], digest: Digest
) -> list[Finding]:
    """The findings, each with its place in the environment's own terms and its content."""
    entries: dict[str, list[StartupEntry]] = {}
    for entry in plan.entries:
        # A finding that names no line is about all of the file; thousands of lines may each have one of their own.
        for place in {place_of(entry.path, None), place_of(entry.path, entry.line)}:
            entries.setdefault(place, []).append(entry)
    return [
        finding._replace(
            place=None if finding.path is None else relative_path(environment, finding.path),
            content=finding_content(environment, entries, finding, digest),
        )
        for finding in findings
    ]


def _canonical(environment: Environment, value: Evidence) -> str:
    """Evidence as text that survives a move of the environment; no two values give the same."""
    if isinstance(value, str):
        return f"s{len(text := _moved(environment, value))}:{text}"
    if isinstance(value, Mapping):
        inner = "".join(f"{_canonical(environment, key)}{_canonical(environment, value[key])}" for key in sorted(value))
        return "{" + inner + "}"
    if isinstance(value, Sequence):
        return "[" + "".join(_canonical(environment, item) for item in value) + "]"
    return f"{value!r};"


def _moved(environment: Environment, text: str) -> str:
    return relative_path(environment, text) if text.startswith(environment.path.rstrip("/") + "/") else text


def _digest_of(rows: list[str]) -> str:
    text = "\0".join(f"{len(row)}:{row}" for row in rows)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
