"""Real interpreters start random environments, and the plan must say what ran, in order and in number.

``ENVCHECK_DIFFERENTIAL=500`` sets how many environments each interpreter starts, ``ENVCHECK_SEED`` which. Where they
disagree, the environment is made as small as it can be and written to ``fixtures/startup``; whatever lies there is
judged again in every run.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from startup.cases import FIXTURES, Case, build, case_of, from_json, minimised, to_json
from startup.generator import Bytecode, Tree
from startup.judge import judge
from support.pythons import Interpreter, every_version
from support.venvs import copy_base, make_venv

COUNT = int(os.environ.get("ENVCHECK_DIFFERENTIAL", "60"))
SEED = os.environ.get("ENVCHECK_SEED", "1")
BLOCK = 20
"""Environments in one test: several processes share the work on one interpreter."""
BLOCKS = [range(start, min(start + BLOCK, COUNT)) for start in range(0, COUNT, BLOCK)]
# What both sides need at each start: compiled once, as an installed interpreter has it.
WARM = "import site, importlib.util, importlib.machinery, zipfile, zipimport, encodings.ascii, encodings.latin_1, runpy"

VenvOf = Callable[[Interpreter], Path]


@pytest.fixture(scope="session")
def venv_of(tmp_path_factory: pytest.TempPathFactory) -> VenvOf:
    """A venv over a copy of the base that holds no packages, made once for each interpreter."""
    made: dict[Interpreter, Path] = {}

    def venv(interpreter: Interpreter) -> Path:
        if interpreter not in made:
            place = tmp_path_factory.mktemp("differential")
            base = copy_base(place / "base", interpreter)
            done = base.start(WARM)
            assert done.returncode == 0, done.stderr
            path = str(base.bin / interpreter.name)
            made[interpreter] = make_venv(place / "venv", interpreter._replace(path=path)).path
        return made[interpreter]

    return venv


def disagreement(venv: Path, interpreter: Interpreter) -> Callable[[Case], bool]:
    return lambda case: not judge(build(case, venv, interpreter)).agrees


@pytest.mark.parametrize("numbers", BLOCKS, ids=lambda block: f"{block.start}-{block.stop - 1}")
@pytest.mark.parametrize("interpreter", every_version())
def test_the_plan_is_what_the_interpreter_runs(
    interpreter: Interpreter, venv_of: VenvOf, numbers: range, record_property: Callable[[str, object], None]
) -> None:
    venv = venv_of(interpreter)
    bytecode = Bytecode(interpreter)
    ran = 0
    for number in numbers:
        tree = Tree(random.Random(f"{SEED}/{interpreter.name}/{number}"), venv, interpreter, bytecode)
        tree.build()
        judgement = judge(tree)
        ran += len(judgement.real)
        if judgement.agrees:
            continue
        found = f"ENVCHECK_SEED={SEED}, {interpreter.text}, number {number}"
        case = minimised(case_of(tree, found), disagreement(venv, interpreter))
        FIXTURES.mkdir(parents=True, exist_ok=True)
        fixture = FIXTURES / f"{interpreter.text}-seed-{SEED}-number-{number}.json"
        fixture.write_text(to_json(case))
        built = build(case, venv, interpreter)
        pytest.fail(f"{found}: see fixtures/startup/{fixture.name}\n{judge(built).told(built)}\n{to_json(case)}")
    record_property("differential", [interpreter.text, len(numbers), ran])


OPEN: dict[str, str] = {}
"""Disagreements that are not mended yet."""


def fixtures() -> list[ParameterSet]:
    """What once disagreed; what still does must go on failing until it is mended, and then leave `OPEN`."""
    return [
        pytest.param(path, id=path.stem, marks=[pytest.mark.xfail(reason=OPEN[path.stem])] if path.stem in OPEN else [])
        for path in sorted(FIXTURES.glob("*.json"))
    ]


@pytest.mark.parametrize("fixture", fixtures())
def test_what_once_disagreed_agrees(fixture: Path, venv_of: VenvOf) -> None:
    case = from_json(fixture.read_text())
    for interpreter in case.judges():
        built = build(case, venv_of(interpreter), interpreter)
        judgement = judge(built)
        if not judgement.agrees:
            pytest.fail(f"{interpreter.text}\n{judgement.told(built)}")


def test_a_description_builds_the_same_environment_again(interpreter: Interpreter, venv_of: VenvOf) -> None:
    venv = venv_of(interpreter)
    for number in range(5):
        tree = Tree(random.Random(f"again/{number}"), venv, interpreter, Bytecode(interpreter))
        tree.build()
        case = case_of(tree, "again")
        first = judge(tree)
        again = from_json(to_json(case))
        assert again._replace(marks={}) == case._replace(marks={})
        second = judge(build(again, venv, interpreter))
        assert (second.planned, second.real) == (first.planned, first.real)


def test_a_case_is_minimised_to_what_the_disagreement_needs(interpreter: Interpreter, venv_of: VenvOf) -> None:
    venv = venv_of(interpreter)
    tree = Tree(random.Random("minimise"), venv, interpreter, Bytecode(interpreter))
    tree.build()
    (tree.site / "culprit.pth").write_text("# a comment\nimport os; culprit = 1\n\n# another\n")
    case = minimised(case_of(tree, "here"), lambda case: _holds(case, b"culprit = 1"))
    assert [(name, content.data) for name, content in case.files.items()] == [
        ("site/culprit.pth", b"import os; culprit = 1\n")
    ]
    assert case.directories == ()
    assert (case.flags, case.system_site, sorted(case.environ)) == ((), False, ["ENVCHECK_MARKS", "HOME"])


def _holds(case: Case, text: bytes) -> bool:
    return any(text in content.data for content in case.files.values())
