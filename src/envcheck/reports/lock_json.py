"""Turns what a lock alone tells into the JSON document of ``schema/lock-1.schema.json``.

Plain ASCII; the same bytes for the same lock, target and (with a cooldown) day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from envcheck.locks.report import Judged
from envcheck.model.finding import NotSeen, Severity
from envcheck.model.lock import Artifact, LockedPackage
from envcheck.reports.json import plain, written

SCHEMA = "envcheck/lock/1"


def render(
    judged: Judged,
    severities: Mapping[str, Severity],
    not_seen: Sequence[NotSeen],
    *,
    version: str,
    exit_code: int,
) -> str:
    """The document as text, ending in a newline; ``version`` is envcheck's own."""
    lock = judged.lock
    why = {id(build.package): build.why for build in judged.builds}
    listed = {id(package) for package in judged.selected or ()}
    document = {
        "schema": SCHEMA,
        "tool": {"name": "envcheck", "version": version},
        "lock": {
            "path": lock.path,
            "format": lock.format,
            "sha256": lock.sha256,
            "packages": len(lock.packages),
            "requires_python": lock.requires_python,
            "repository": lock.repository._asdict(),
        },
        "target": {"python": judged.python, "platform": judged.platform},
        "choice": {
            "members": list(judged.choice.members),
            "extras": sorted(judged.choice.extras),
            "groups": sorted(judged.choice.groups),
        },
        "selected": None
        if judged.selected is None
        else [_package(package, why.get(id(package))) for package in judged.selected],
        "builds": {
            "known": judged.named and judged.selected is not None,
            "own": [
                {"name": build.package.name, "why": build.why}
                for build in judged.builds
                if id(build.package) not in listed
            ],
            "forbidden": judged.configured.everywhere,
            "forbidden_for": sorted(judged.configured.names),
            "forbidden_by": judged.configured.where,
            "exempt": list(judged.exempt),
            "settings": list(judged.settings),
        },
        "problems": [
            {
                "rule": problem.rule,
                "severity": severities[problem.rule].label,
                "name": problem.name,
                "where": problem.where,
                "message": problem.message,
                "remedy": problem.remedy,
            }
            for problem in judged.problems
        ],
        "not_seen": [{"path": missed.path, "why": missed.why} for missed in sorted(not_seen)],
        "exit_code": exit_code,
    }
    return written(plain(document))


def _package(package: LockedPackage, why: str | None) -> dict[str, object]:
    return {
        "name": package.name,
        "version": package.version,
        "specifier": package.specifier,
        "source": {
            "kind": package.source_kind,
            "location": package.source,
            "commit": package.commit,
            "subdirectory": package.subdirectory,
        },
        "builds": why,
        "archives": [_archive(artifact) for artifact in package.artifacts],
    }


def _archive(artifact: Artifact) -> dict[str, object]:
    return {
        "filename": artifact.filename,
        "url": artifact.url,
        "kind": artifact.kind,
        "hashes": [f"{algorithm}:{digest}" for algorithm, digest in artifact.hashes],
        "size": artifact.size,
        "upload_time": artifact.upload_time,
    }
