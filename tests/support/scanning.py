"""The command, started as a user starts it, and its report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SEVERITIES = ("info", "low", "medium", "high", "critical")
TIMEOUT = 60


class Ran(NamedTuple):
    """What the command did."""

    code: int
    stdout: bytes
    stderr: str


def environ(home: Path | str = os.devnull, **more: str) -> dict[str, str]:
    """The variables that the command is started with: few, so that nothing of this machine is modelled."""
    return {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **more}


def envcheck(
    *arguments: str | Path,
    cwd: Path | str = "/",
    env: Mapping[str, str] | None = None,
    python: Sequence[str] = (sys.executable, "-m", "envcheck"),
    timeout: float = TIMEOUT,
) -> Ran:
    """Run ``envcheck ARGUMENTS``. A command that hangs fails the test."""
    process = subprocess.Popen(
        [*python, *map(os.fspath, arguments)],
        cwd=cwd,
        env=dict(environ() if env is None else env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError(f"envcheck {' '.join(map(str, arguments))} hangs") from None
    text = stderr.decode("utf-8", "replace")
    assert "Traceback" not in text, text
    return Ran(process.returncode, stdout, text)


class Scan(NamedTuple):
    """A report as JSON gave it."""

    document: dict[str, Any]
    code: int
    stderr: str

    @property
    def environment(self) -> dict[str, Any]:
        (only,) = self.document["environments"]
        return only

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [finding for environment in self.document["environments"] for finding in environment["findings"]]

    @property
    def startup(self) -> list[dict[str, Any]]:
        return self.environment["startup"]

    @property
    def not_seen(self) -> list[str]:
        return [missed["path"] for missed in self.environment["not_seen"]]

    def at_least(self, severity: str) -> list[dict[str, Any]]:
        """Findings at or above a severity."""
        worst = SEVERITIES[SEVERITIES.index(severity) :]
        return [finding for finding in self.findings if finding["severity"] in worst]

    def at(self, path: Path | str, line: int | None = None, severity: str = "info") -> list[str]:
        """Rules of the findings at a place, or in whose group of paths it stands."""
        place = str(path)
        return [
            finding["rule"]
            for finding in self.at_least(severity)
            if (finding["path"] == place and (line is None or finding["line"] == line))
            or (line is None and place in (finding["evidence"].get("paths") or ()))
        ]

    def rules(self, severity: str = "info") -> set[str]:
        return {finding["rule"] for finding in self.at_least(severity)}

    def ran(self) -> list[tuple[str, int | None]]:
        """``(file name, line)`` of every entry that runs, in order."""
        return [(os.path.basename(entry["path"]), entry["line"]) for entry in self.startup if entry["runs"]]

    def told(self) -> str:
        """The findings in one text, for a failing assertion."""
        lines = [f"{f['severity']} {f['rule']} {f['path']}:{f['line']} {f['message']}" for f in self.findings]
        missed = [f"not seen: {missed}" for missed in self.environment["not_seen"]]
        return "\n".join([f"exit {self.code}", *lines, *missed, self.stderr])


def scan(*arguments: str | Path, **options: Any) -> Scan:
    """``envcheck scan --format json ARGUMENTS``."""
    command = "scan"
    if arguments and arguments[0] == "verify":
        command, *rest = map(os.fspath, arguments)
        arguments = tuple(rest)
    ran = envcheck(command, "--format", "json", *arguments, **options)
    assert ran.code in (0, 1, 3), f"exit {ran.code}: {ran.stderr}"
    document = json.loads(ran.stdout)
    assert document["exit_code"] == ran.code
    return Scan(document, ran.code, ran.stderr)
