"""The judge: a real interpreter starts an environment, and what ran is held against what the plan says."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.plan import make_plan
from startup.cases import Case
from startup.workshop import Built, Workshop

_MARK = re.compile(r"write\('(m\d+)\\+n'\)")
END = "the user's code"
"""The mark of the code after the start: missing where the start fails."""
_LAST = f"""import os, sys
with open(os.environ['ENVCHECK_MARKS'] + '.path', 'w') as file: file.write(ascii(sys.path))

with open(os.environ['ENVCHECK_MARKS'], 'a') as file: file.write({END!r} + '\\n')

"""


class Real(NamedTuple):
    """What an interpreter did."""

    marks: list[str]
    """In order; `END` last where the start went well."""
    sys_path: list[str] | None
    """After the start, without what is put before it for a script or ``-c``; ``None`` where the start failed."""
    said: str
    """What it printed."""


class Judgement(NamedTuple):
    """What both sides say, and what the plan is made of."""

    planned: list[str]
    real: list[str]
    plan: StartupPlan
    not_seen: object
    planned_path: list[str] | None
    """``None`` where the plan has conditions, so that it need not be the real one."""
    real_path: list[str] | None

    @property
    def agrees(self) -> bool:
        if self.planned != self.real:
            return False
        return None in (self.planned_path, self.real_path) or self.planned_path == self.real_path

    def told(self, built: Built) -> str:
        """Both sides, and the plan's entries inside the environment."""
        inside = [str(e._replace(sha256=None)) for e in self.plan.entries if e.path.startswith(f"{built.root}/")]
        text = "\n".join([
            f"plan {self.planned}", f"real {self.real}", f"plan {self.planned_path}", f"real {self.real_path}",
            *inside, f"aborts {self.plan.aborts}",
        ])  # fmt: skip
        return text.replace(str(built.root), "{env}")


def judge(built: Built) -> Judgement:
    """Start the real interpreter on it, then plan it."""
    return judged(built, started(built))


def disagreement(workshop: Workshop, judgement: Judgement) -> Callable[[Case], bool]:
    """Whether a case can be started, and its plan is another in the same way: what a case is minimised by."""
    kind = _kind(judgement)

    def disagrees(case: Case) -> bool:
        built = workshop.build(case)
        return built.python.exists() and _kind(judge(built)) == kind

    return disagrees


def _kind(judgement: Judgement) -> tuple[bool, ...]:
    """In which way a plan disagrees, or that it does not."""
    planned, real = judgement.planned, judgement.real
    return judgement.agrees, planned == real, END in planned, END in real, set(planned) <= set(real)


def judged(built: Built, real: Real) -> Judgement:
    """Plan an environment that a real interpreter was started on."""
    modules = set(built.marks.values())
    files = Files()
    invocation = Invocation(
        built.flags, built.environ, (os.getuid(),) * 2, (os.getgid(),) * 2, directory=str(built.here)
    )
    environment = find_environment(files, str(built.python), invocation)
    plan = make_plan(files, environment, invocation)
    ends = in_order(real.marks, modules)
    planned = in_order(_marks_of_plan(plan, built, ends), modules)
    if not plan.aborts or (not any(abort.certain for abort in plan.aborts) and END in ends):
        # Where the plan leaves open whether the start fails, either may be.
        planned.append(END)
    path = None if _conditional(plan) else [posixpath.normpath(built.here / path) for path in plan.sys_path]
    return Judgement(planned, ends, plan, files.not_seen, path, real.sys_path)


def _conditional(plan: StartupPlan) -> bool:
    """Whether what happens depends on something that files do not tell, or that the plan does not follow."""
    if plan.aborts or not plan.path_certain or any(entry.unresolved for entry in plan.entries):
        return True
    conditions = [o.when for entry in plan.entries for o in entry.occurrences]
    conditions += [file.when for entry in plan.entries for file in entry.closure]
    return any(condition is not None for condition in conditions)


def _marks_of_plan(plan: StartupPlan, built: Built, real: list[str]) -> list[str]:
    """The marks that the plan says are left; what carries a condition is expected not to happen here.

    Of what hangs on an order that the plan does not know, only what did happen is taken.
    """
    modules = set(built.marks.values())
    events: list[tuple[int, int, str, str | None]] = []
    for entry in plan.entries:
        for occurrence in entry.occurrences:
            # What fails for certain fails before anything was executed that could leave a mark.
            if occurrence.outcome == "runs":
                marks = _marks_of_entry(entry, built)
                events += [(occurrence.order, 0, mark, occurrence.when) for mark in marks]
        for place, file in enumerate(entry.closure, 1):
            mark = _mark(file.loads or file.path, built)
            if mark is not None and file.order is not None:
                events.append((file.order, place, mark, file.when))
    events.sort(key=lambda event: event[:2])
    kept: list[str] = []
    for _, _, mark, when in events:
        if when is None or (_either(when) and mark in real[len(in_order(kept, modules)) :][:1]):
            kept.append(mark)
    return kept


def _either(when: str) -> bool:
    """Whether a condition says that the order of ``sys.path`` is not known, and nothing else."""
    return all(part.startswith("depends on what ") for part in when.split("; "))


def _marks_of_entry(entry: StartupEntry, built: Built) -> list[str]:
    if entry.code is not None:
        return _MARK.findall(entry.code)
    mark = _mark(entry.loads or entry.path, built)
    return [] if mark is None else [mark]


def _mark(path: str, built: Built) -> str | None:
    """What the bytes at a path mark; the path may lead through links."""
    return built.marks.get(path) or built.marks.get(os.path.realpath(path))


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


def started(built: Built) -> Real:
    """Start the interpreter: only ever on environments that the tests made themselves."""
    marks = Path(built.environ["ENVCHECK_MARKS"])
    path = Path(f"{marks}.path")
    for file in (marks, path):
        file.unlink(missing_ok=True)
    # At a prompt (``-i``) the user's code is typed.
    prompt = "-i" in built.flags
    done = subprocess.run(
        [str(built.python), *built.flags, "-B", *([] if prompt else ["-c", _LAST])],
        env=built.environ,
        input=_LAST.encode() if prompt else None,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=built.here,
    )
    text = marks.read_text(errors="surrogateescape") if marks.exists() else ""
    # A compiled module marks its own path, which may lead through links.
    found = [os.path.realpath(mark) if mark.startswith("/") else mark for mark in text.splitlines()]
    entries: list[str] | None = None
    if path.exists():
        import ast

        entries = ast.literal_eval(path.read_text())
        if entries and entries[0] == "":
            # ``-c`` puts the current directory first, unless told not to.
            del entries[0]
        # By its bytes: in the C locale it has each of them apart.
        entries = [entry.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") for entry in entries]
        entries = [posixpath.normpath(os.path.join(built.here, entry)) for entry in entries]
        if "-S" in built.flags:
            # It is site that takes repetitions out; they find nothing that the first would not.
            entries = list(dict.fromkeys(entries))
    return Real(found, entries, done.stderr.decode(errors="replace"))
