"""The judge: real interpreters start random environments, and the plan must say what ran, in order and in number.

``ENVCHECK_DIFFERENTIAL=500`` sets how many environments each interpreter starts, ``ENVCHECK_SEED`` which.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.plan import make_plan
from startup.generator import Bytecode, Tree
from support.pythons import Interpreter, interpreters
from support.venvs import make_venv

COUNT = int(os.environ.get("ENVCHECK_DIFFERENTIAL", "20"))
SEED = os.environ.get("ENVCHECK_SEED", "1")
WANTED = ((3, 8), (3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15))
_MARK = re.compile(r"write\('(m\d+)\\+n'\)")


def of_version(minor: tuple[int, int]) -> list[Interpreter]:
    return [found for found in interpreters() if found.minor == minor]


@pytest.fixture(params=WANTED, ids=lambda minor: "{}.{}".format(*minor), scope="module")
def judge(request: pytest.FixtureRequest) -> Interpreter:
    found = of_version(request.param)
    if not found:
        pytest.skip("CPython {}.{} is neither under pyenv nor on PATH".format(*request.param))
    return found[-1]


def marks_of_plan(plan: StartupPlan, tree: Tree) -> list[str]:
    """The marks that the plan says are left; what carries a condition is expected not to happen here."""
    events: list[tuple[int, int, str]] = []
    for entry in plan.entries:
        for occurrence in entry.occurrences:
            # What fails for certain fails before anything was executed that could leave a mark.
            if occurrence.outcome == "runs" and occurrence.when is None:
                events += [(occurrence.order, 0, mark) for mark in marks_of_entry(entry, tree)]
        for place, file in enumerate(entry.closure, 1):
            mark = tree.marks.get(file.loads or file.path)
            if mark is not None and file.when is None and file.order is not None:
                events.append((file.order, place, mark))
    return [mark for _, _, mark in sorted(events, key=lambda event: event[:2])]


def marks_of_entry(entry: StartupEntry, tree: Tree) -> list[str]:
    if entry.code is not None:
        return _MARK.findall(entry.code)
    mark = tree.marks.get(entry.loads or entry.path)
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


def run(tree: Tree) -> list[str]:
    marks = Path(tree.environ["ENVCHECK_MARKS"])
    marks.unlink(missing_ok=True)
    subprocess.run(
        [str(tree.venv / "bin" / "python"), *tree.flags, "-B", "-c", "pass"],
        env=tree.environ,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=tree.around,
    )
    return marks.read_text().split() if marks.exists() else []


def test_the_plan_is_what_the_interpreter_runs(
    judge: Interpreter, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    venv = tmp_path_factory.mktemp("differential") / "venv"
    make_venv(venv, judge)
    bytecode = Bytecode(judge)
    ran = 0
    for number in range(COUNT):
        rng = random.Random(f"{SEED}/{judge.name}/{number}")
        tree = Tree(rng, venv, judge, bytecode)
        tree.build()
        actual = run(tree)
        files = Files()
        invocation = Invocation(tree.flags, tree.environ, (os.getuid(),) * 2, (os.getgid(),) * 2)
        plan = make_plan(files, find_environment(files, str(venv / "bin" / "python"), invocation), invocation)
        modules = set(tree.marks.values())
        expected = in_order(marks_of_plan(plan, tree), modules)
        actual = in_order(actual, modules)
        ran += len(actual)
        if expected != actual:
            entries = "\n".join(str(entry._replace(sha256=None)) for entry in plan.entries)
            pytest.fail(
                f"seed {SEED}, {judge.name}, number {number}\nplan {expected}\nreal {actual}\n{tree.describe()}\n"
                f"{entries}\n{plan.path_lines}\n{plan.aborts}\n{files.not_seen}"
            )
    with capsys.disabled():
        print(f"\n{judge.text}: {COUNT} environments agree, {ran} payloads ran (seed {SEED})")
