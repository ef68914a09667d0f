"""Real interpreters start random environments, and the plan must say what ran, in order and in number.

``ENVCHECK_DIFFERENTIAL=500`` sets how many environments each interpreter starts, ``ENVCHECK_SEED`` which. Where they
disagree, the environment is made as small as it can be and written to ``fixtures/startup``; whatever lies there is
judged again in every run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from startup.cases import FIXTURES, Case, from_json, minimised, to_json
from startup.generator import ELEMENTS, random_case
from startup.judge import disagreement, judge
from startup.workshop import extension, workshop_of
from support.pythons import Interpreter, every_version

COUNT = int(os.environ.get("ENVCHECK_DIFFERENTIAL", "60"))
SEED = os.environ.get("ENVCHECK_SEED", "1")
BLOCK = 20
"""Environments in one test: several processes share the work on one interpreter."""
BLOCKS = [range(start, min(start + BLOCK, COUNT)) for start in range(0, COUNT, BLOCK)]


@pytest.mark.parametrize("numbers", BLOCKS, ids=lambda block: f"{block.start}-{block.stop - 1}")
@pytest.mark.parametrize("interpreter", every_version())
def test_the_plan_is_what_the_interpreter_runs(
    interpreter: Interpreter, numbers: range, record_property: Callable[[str, object], None]
) -> None:
    workshop = workshop_of(interpreter)
    ran = 0
    for number in numbers:
        case, _ = random_case(f"{SEED}/{interpreter.text}/{number}", interpreter, workshop.debian)
        judgement = judge(workshop.build(case))
        ran += len(judgement.real)
        if judgement.agrees:
            continue
        case = minimised(
            case._replace(found=f"ENVCHECK_SEED={SEED}, {interpreter.text}, number {number}"),
            disagreement(workshop, judgement),
        )
        FIXTURES.mkdir(parents=True, exist_ok=True)
        fixture = FIXTURES / f"{interpreter.text}-seed-{SEED}-number-{number}.json"
        fixture.write_text(to_json(case))
        built = workshop.build(case)
        pytest.fail(f"{case.found}: see fixtures/startup/{fixture.name}\n{judge(built).told(built)}\n{to_json(case)}")
    record_property("differential", [interpreter.text, len(numbers), ran])


DISAGREEING: dict[str, str] = {
    "a-path-line-that-a-second-pass-makes-certain": "the plan keeps the first pass's condition for what lies there",
    "a-finder-behind-an-extension-in-a-conditional-place": "the plan has what the finder answers without a condition",
}
"""Fixtures that are not mended yet."""


def fixtures() -> list[ParameterSet]:
    """What once disagreed; what still does must go on failing until it is mended, and then leave `DISAGREEING`."""
    return [
        pytest.param(
            path,
            id=path.stem,
            marks=[pytest.mark.xfail(reason=DISAGREEING[path.stem], strict=True)] if path.stem in DISAGREEING else [],
        )
        for path in sorted(FIXTURES.glob("*.json"))
    ]


@pytest.mark.parametrize("fixture", fixtures())
def test_what_once_disagreed_agrees(fixture: Path) -> None:
    case = from_json(fixture.read_text())
    if any(content.kind == "extension" for content in case.files.values()) and extension() is None:
        pytest.skip("a C compiler is not on PATH")
    for interpreter in case.judges():
        built = workshop_of(interpreter).build(case)
        judgement = judge(built)
        if not judgement.agrees:
            pytest.fail(f"{interpreter.text}\n{judgement.told(built)}")


@pytest.mark.parametrize("interpreter", every_version())
def test_chance_mixes_everything_that_the_plan_follows(interpreter: Interpreter) -> None:
    if interpreter is None:
        return
    met: Counter[str] = Counter()
    for number in range(400):
        met += random_case(f"elements/{number}", interpreter, debian=False)[1]
    only_from = {"flag-P": (3, 11), "flag-frozen": (3, 11), "platlibdir": (3, 9)}
    expected = {element for element in ELEMENTS if interpreter.minor >= only_from.get(element, (3, 8))}
    if extension() is None:
        expected.remove("extension")
    assert expected <= set(met)


def test_a_seed_is_one_environment_and_its_description_builds_it_again(interpreter: Interpreter) -> None:
    workshop = workshop_of(interpreter)
    for number in range(5):
        case, _ = random_case(f"again/{number}", interpreter, workshop.debian)
        assert random_case(f"again/{number}", interpreter, workshop.debian)[0] == case
        first = judge(workshop.build(case))
        again = from_json(to_json(case))
        assert again == case
        second = judge(workshop.build(again))
        assert (second.planned, second.real) == (first.planned, first.real)


def test_a_case_is_minimised_to_what_the_disagreement_needs(interpreter: Interpreter) -> None:
    case, _ = random_case("minimise", interpreter, workshop_of(interpreter).debian)
    text = b"# a comment\nimport os; culprit = 1\n\n# another\n"
    culprit = next(iter(case.files.values()))._replace(data=text, kind="file")
    case = case._replace(files={**case.files, "around/culprit.pth": culprit}, start="base/bin/python3")
    small = minimised(case, lambda case: _holds(case, b"culprit = 1"))
    kept = {name: content.data for name, content in small.files.items() if not name.startswith("venv/")}
    assert kept == {"around/culprit.pth": b"import os; culprit = 1\n"}
    assert (small.flags, small.environ, small.directories, small.bases) == ((), {}, (), ("base",))


def _holds(case: Case, text: bytes) -> bool:
    return any(text in content.data for content in case.files.values())
