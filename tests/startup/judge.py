"""The judge: a real interpreter starts an environment, and what ran is held against what the plan says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple, Protocol

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.plan import make_plan

_MARK = re.compile(r"write\('(m\d+)\\+n'\)")


class Filled(Protocol):
    """A venv with marking payloads in it: `generator.Tree`, `cases.Built`."""

    @property
    def venv(self) -> Path: ...
    @property
    def around(self) -> Path: ...
    @property
    def flags(self) -> tuple[str, ...]: ...
    @property
    def environ(self) -> dict[str, str]: ...
    @property
    def marks(self) -> dict[str, str]: ...


class Judgement(NamedTuple):
    """What both sides say, and what the plan is made of."""

    planned: list[str]
    real: list[str]
    plan: StartupPlan
    not_seen: object

    @property
    def agrees(self) -> bool:
        return self.planned == self.real

    def told(self, filled: Filled) -> str:
        """Both sides, and the plan's entries inside the environment: nothing of the base is shown."""
        inside = [str(e._replace(sha256=None)) for e in self.plan.entries if e.path.startswith(f"{filled.venv}/")]
        return "\n".join([f"plan {self.planned}", f"real {self.real}", *inside, f"aborts {self.plan.aborts}"])


def judge(filled: Filled) -> Judgement:
    """Start the real interpreter on it, then plan it."""
    modules = set(filled.marks.values())
    real = in_order(_run(filled), modules)
    files = Files()
    invocation = Invocation(filled.flags, filled.environ, (os.getuid(),) * 2, (os.getgid(),) * 2)
    plan = make_plan(files, find_environment(files, str(filled.venv / "bin" / "python"), invocation), invocation)
    return Judgement(in_order(_marks_of_plan(plan, filled), modules), real, plan, files.not_seen)


def _marks_of_plan(plan: StartupPlan, filled: Filled) -> list[str]:
    """The marks that the plan says are left; what carries a condition is expected not to happen here."""
    events: list[tuple[int, int, str]] = []
    for entry in plan.entries:
        for occurrence in entry.occurrences:
            # What fails for certain fails before anything was executed that could leave a mark.
            if occurrence.outcome == "runs" and occurrence.when is None:
                events += [(occurrence.order, 0, mark) for mark in _marks_of_entry(entry, filled)]
        for place, file in enumerate(entry.closure, 1):
            mark = filled.marks.get(file.loads or file.path)
            if mark is not None and file.when is None and file.order is not None:
                events.append((file.order, place, mark))
    return [mark for _, _, mark in sorted(events, key=lambda event: event[:2])]


def _marks_of_entry(entry: StartupEntry, filled: Filled) -> list[str]:
    if entry.code is not None:
        return _MARK.findall(entry.code)
    mark = filled.marks.get(entry.loads or entry.path)
    return [] if mark is None else [mark]


def in_order(marks: list[str], modules: set[str]) -> list[str]:
    """Marks of lines as they stand; of a module's, which runs again where it failed, the first only."""
    seen: set[str] = set()
    kept = []
    for mark in marks:
        if mark in modules and mark in seen:
            continue
        seen.add(mark)
        kept.append(mark)
    return kept


def _run(filled: Filled) -> list[str]:
    marks = Path(filled.environ["ENVCHECK_MARKS"])
    marks.unlink(missing_ok=True)
    subprocess.run(
        [str(filled.venv / "bin" / "python"), *filled.flags, "-B", "-c", "pass"],
        env=filled.environ,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=filled.around,
    )
    return marks.read_text().split() if marks.exists() else []
