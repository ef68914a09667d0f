"""The named contexts, each judged by every interpreter at hand."""

from __future__ import annotations

import subprocess

import pytest
from _pytest.mark import ParameterSet

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from startup.contexts import NAMED, SITE, Given, line
from startup.judge import END, judge
from startup.workshop import Built, workshop_of
from support.pythons import Interpreter, each_layout

OPEN: dict[str, tuple[tuple[int, int], tuple[int, int], str]] = {}
"""Contexts that the plan does not get right yet: from which version to which, and why."""


def contexts() -> list[ParameterSet]:
    """Each context on each interpreter; what is open must go on failing until it is mended."""
    found = []
    for python in each_layout():
        (interpreter,) = python.values
        for name in NAMED:
            first, last, reason = OPEN.get(name, ((4, 0), (3, 0), ""))
            if not isinstance(interpreter, Interpreter) or not first <= interpreter.minor <= last:
                reason = ""
            marks = [*python.marks, *([pytest.mark.xfail(reason=reason, strict=True)] if reason else [])]
            found.append(pytest.param(name, interpreter, id=f"{python.id}-{name}", marks=marks))
    return found


@pytest.mark.parametrize(("name", "interpreter"), contexts())
def test_the_plan_is_what_the_interpreter_runs_in(name: str, interpreter: Interpreter) -> None:
    built = workshop_of(interpreter).build(NAMED[name](interpreter))
    judgement = judge(built)
    assert judgement.agrees, judgement.told(built)


# The current directory ----------------------------------------------------------------------------------------------

HERE = {
    "an empty element": ("PYTHONPATH", ":{env}/around"),
    "a last empty element": ("PYTHONPATH", "{env}/around:"),
    "a dot": ("PYTHONPATH", "."),
    "a relative element": ("PYTHONPATH", "./x/.."),
    "the process's directory": ("line", "/proc/self/cwd"),
    "the process's root": ("line", "/proc/self/root{env}/here"),
    "a link to it": ("link", "/proc/self/cwd"),
}
"""Ways in which the directory that Python is started in joins ``sys.path``."""


def _here(interpreter: Interpreter, way: str, planted: bool) -> Built:
    kind, text = HERE[way]
    given = Given(interpreter).write(f"{SITE}/a.pth", line("m1")).write(f"{SITE}/c.pth", "import alpha\n")
    if kind == "PYTHONPATH":
        given.started(PYTHONPATH=text)
    elif kind == "line":
        given.write(f"{SITE}/b.pth", text + "\n")
    else:
        given.link("around/disguise", text).write(f"{SITE}/b.pth", "{env}/around/disguise\n")
    if planted:
        given.module("here/alpha.py", "m2")
    return workshop_of(interpreter).build(given.case())


@pytest.mark.parametrize("way", HERE)
@pytest.mark.parametrize("interpreter", each_layout())
def test_the_current_directory_is_a_symbolic_entry(interpreter: Interpreter, way: str) -> None:
    """What is in it runs, and no file that a scan may read tells: the entry itself is what the plan shows."""
    empty = judge(_here(interpreter, way, planted=False))
    assert empty.agrees
    assert END in empty.real
    built = _here(interpreter, way, planted=True)
    planted = judge(built)
    assert set(planted.real) - set(empty.real) == {"m2"}
    assert planted.planned == empty.planned
    shown = [line.directory for line in planted.plan.path_lines if line.symbolic]
    shown += [path for path in planted.plan.sys_path if not path.startswith("/")]
    assert shown
    assert not any(str(built.here) in entry.path for entry in planted.plan.entries)


# Console scripts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-B", "-s", "-E", "-P", "-I"])
@pytest.mark.parametrize("interpreter", each_layout())
def test_a_console_script_starts_with_its_directory_first(interpreter: Interpreter, flag: str) -> None:
    if flag == "-P" and interpreter.minor < (3, 11):
        return
    given = Given(interpreter).write(f"{SITE}/a.pth", line("m1")).module(f"{SITE}/alpha.py", "m2")
    given.module("venv/bin/alpha.py", "m3").write("venv/bin/tool", "#!{env}/venv/bin/python\nimport alpha\n")
    built = workshop_of(interpreter).build(given.case())
    command = [str(built.python), flag, "-B", str(built.root / "venv/bin/tool")]
    subprocess.run(command, env=built.environ, cwd=built.here, check=True)
    marks = (built.root / "marks").read_text().split()
    invocation = Invocation((flag,), built.environ)
    files = Files()
    environment = find_environment(files, str(built.python), invocation)
    shadowed = marks[-1] == "m3"
    assert environment.scripts_dir == str(built.root / "venv/bin")
    assert shadowed is (flag not in ("-P", "-I"))


# What the interpreter imports by itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["PYTHONWARNINGS", "-W"])
@pytest.mark.parametrize("interpreter", each_layout())
def test_a_warning_category_is_imported_before_site(interpreter: Interpreter, way: str) -> None:
    text = "default::alpha.Category"
    given = Given(interpreter).module("around/alpha.py", "m1", "class Category(Warning):\n    pass\n")
    given.write(f"{SITE}/a.pth", line("m2")).module(f"{SITE}/beta.py", "m3")
    flags = () if way == "PYTHONWARNINGS" else (f"-W{text}",)
    given.started(*flags, PYTHONPATH="{env}/around", **({} if flags else {"PYTHONWARNINGS": text}))
    built = workshop_of(interpreter).build(given.case())
    judgement = judge(built)
    assert judgement.real[0] == "m1"
    assert judgement.planned[0] == "m1", judgement.told(built)


@pytest.mark.parametrize("interpreter", each_layout())
def test_a_startup_file_runs_at_a_prompt(interpreter: Interpreter) -> None:
    given = Given(interpreter).module("around/startup.py", "m1").write(f"{SITE}/a.pth", line("m2"))
    given.started("-i", PYTHONSTARTUP="{env}/around/startup.py")
    built = workshop_of(interpreter).build(given.case())
    judgement = judge(built)
    assert judgement.real[-2:] == ["m1", END]
    (entry,) = (entry for entry in judgement.plan.entries if entry.kind == "pythonstartup")
    assert entry.path == str(built.root / "around/startup.py")
    assert entry.when is not None
