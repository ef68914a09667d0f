"""Startup files of real packages, really installed: silent when intact, told after one byte of what starts is changed.

Runs only where ``ENVCHECK_STARTUP_PREFIX`` names a venv with such packages in it (coverage, pytest-cov below 7,
manhole, hunter, coloredlogs, better_exceptions, future_fstrings, autowrapt, pip-system-certs, namespace packages …).
It is copied, never changed, and nothing of it is started.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from envcheck.model.report import EnvironmentReport, Options
from envcheck.scanner import scan_targets

PREFIX = os.environ.get("ENVCHECK_STARTUP_PREFIX", "")
pytestmark = pytest.mark.skipif(not PREFIX, reason="ENVCHECK_STARTUP_PREFIX names no venv with startup files")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("real") / "venv"
    shutil.copytree(PREFIX, copy, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def scanned(prefix: Path) -> EnvironmentReport:
    return scan_targets([str(prefix)], [Options(startup_only=True)]).environments[0]


def told(report: EnvironmentReport) -> dict[str, list[str]]:
    """The rules of all startup findings above ``info``, by path."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.severity.label != "info" and not finding.rule.startswith("scan-"):
            found.setdefault(str(finding.path), []).append(f"{finding.severity.label} {finding.rule}")
    return found


def test_intact_packages_are_expected_and_no_finding(prefix: Path) -> None:
    report = scanned(prefix)
    assert told(report) == {}
    assert {entry.verdict for entry in report.plan.entries if entry.runs} == {"expected"}


def test_one_byte_more_is_told_wherever_it_starts(prefix: Path) -> None:
    report = scanned(prefix)
    # Each file with import lines, and the first and last file that it loads.
    subjects = {entry.path for entry in report.plan.entries if entry.path.endswith(".pth")}
    for entry in report.plan.entries:
        sources = [file.path for file in entry.closure if file.path.endswith(".py")]
        subjects.update([*sources[:1], *sources[-1:]])
    assert subjects
    missed = []
    for subject in sorted(subjects):
        file = Path(subject)
        before, times = file.read_bytes(), file.stat()
        file.write_bytes(before + b"#")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        rules = told(scanned(prefix)).get(subject, [])
        if not any(rule.startswith(("high ", "critical ")) for rule in rules):
            missed.append((subject, rules))
        file.write_bytes(before)
    assert missed == []
