"""What an interpreter imports of its own accord, before and after ``site``: real ones start, and the plan agrees.

PYTHONPATH holds copies of the modules, each of which leaves a mark when it begins to run.
"""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.model.invocation import Invocation
from envcheck.model.startup import StartupEntry, StartupPlan
from envcheck.startup.codecs import module_names
from envcheck.startup.interactive import WHEN
from envcheck.startup.plan import make_plan
from startup.cases import Case
from startup.judge import END, judge
from startup.trees import Place
from startup.workshop import Built
from support.pythons import Interpreter, every_version, of_minor
from support.venvs import Venv, make_venv

MARK = (
    "import posix as _p\n"
    "_d = _p.open(_p.environ[b'ENVCHECK_MARKS'], _p.O_WRONLY | _p.O_CREAT | _p.O_APPEND, 0o600)\n"
    "_p.write(_d, b'{name}\\n'); _p.close(_d)\n"
)
SHADOWED = (
    "abc", "codecs", "colorsys", "genericpath", "io", "linecache", "os", "posixpath", "site", "stat", "warnings",
    "_bootlocale", "_collections_abc", "_py_warnings", "_sitebuiltins", "encodings", "encodings.aliases",
    "encodings.ascii", "encodings.cp1252", "encodings.latin_1", "encodings.utf_8", "encodings.utf_8_sig",
)  # fmt: skip
COPY = """
import ast, importlib.util, os, sys
destination, mark, *names = sys.argv[1:]
for name in names:
    parent, _, tail = name.rpartition(".")
    place = os.path.join(os.path.dirname(os.__file__), *name.split("."))
    source, inside = (place + ".py", False) if os.path.isfile(place + ".py") else (place + "/__init__.py", True)
    if not os.path.isfile(source):
        continue
    with open(source, encoding="utf-8") as stream:
        text = stream.read()
    at = 0
    for node in ast.parse(text).body:
        docstring = at == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (docstring or isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        at = node.end_lineno
    lines = text.splitlines(True)
    lines.insert(at, mark.replace("{name}", name))
    target = os.path.join(destination, *name.split("."), *(["__init__.py"] if inside else []))
    target = target if inside else target + ".py"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as stream:
        stream.write("".join(lines))
"""
STARTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "plain": ((), {}),
    "no site": (("-S",), {}),
    "isolated": (("-I",), {}),
    "no variables": (("-E",), {"PYTHONWARNINGS": "ignore::colorsys.Cat", "PYTHONIOENCODING": "cp1252"}),
    "no user site": (("-s",), {}),
    "a codec for the streams": ((), {"PYTHONIOENCODING": "cp1252:strict"}),
    "its alias": ((), {"PYTHONIOENCODING": "Latin1"}),
    "only error handlers": ((), {"PYTHONIOENCODING": ":replace"}),
    "the C locale": ((), {"LC_ALL": "C"}),
    "the C locale as it is": ((), {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "the C locale, which LC_ALL keeps from being coerced": ((), {"LC_ALL": "C", "PYTHONUTF8": "0"}),
    "the C locale, coerced": ((), {"LANG": "C", "PYTHONUTF8": "0"}),
    "UTF-8 mode": (("-Xutf8",), {"LC_ALL": "C"}),
    "development mode": (("-Xdev",), {}),
    "development mode by variable": ((), {"PYTHONDEVMODE": "1"}),
    "bytes warnings": (("-b",), {}),
    "a warning option": (("-Wignore",), {}),
    "a built-in category": (("-Wignore::DeprecationWarning",), {}),
    "a category": (("-Wignore::colorsys.Cat",), {}),
    "a category of a variable": ((), {"PYTHONWARNINGS": "error,ignore::colorsys.Cat"}),
    "a category, isolated": (("-I", "-Wignore::colorsys.Cat"), {"PYTHONWARNINGS": "ignore::io.Cat"}),
    "a shortened action": (("-Wi::colorsys.Cat",), {}),
    "no action": (("-W::colorsys.Cat",), {}),
    "an unknown action": (("-Wbogus::colorsys.Cat",), {}),
    "too many fields": (("-Wi::colorsys.Cat:a:1:x",), {}),
    "frozen modules off": (("-Xfrozen_modules=off",), {}),
    "frozen modules off by variable": ((), {"PYTHON_FROZEN_MODULES": "off"}),
    "frozen modules on, by the option": (("-Xfrozen_modules=on",), {"PYTHON_FROZEN_MODULES": "off"}),
}


@pytest.fixture(scope="module")
def shadowed(tmp_path_factory: pytest.TempPathFactory) -> dict[Interpreter, tuple[Venv, Path]]:
    return {}


def prepared(
    interpreter: Interpreter,
    shadowed: dict[Interpreter, tuple[Venv, Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Venv, Path]:
    """A venv, and a directory of marked copies of the modules that may load."""
    if interpreter not in shadowed:
        place = tmp_path_factory.mktemp("shadowed")
        copies = place / "copies"
        copies.mkdir()
        subprocess.run([interpreter.path, "-I", "-c", COPY, str(copies), MARK, *SHADOWED], check=True, timeout=60)
        venv = make_venv(place / "venv", interpreter)
        (venv.site / "some.pth").write_text("# opened, so that decoding is needed\n")
        shadowed[interpreter] = venv, copies
    return shadowed[interpreter]


def planned(venv: Venv, flags: tuple[str, ...], environ: dict[str, str]) -> StartupPlan:
    files = Files()
    invocation = Invocation(flags, environ, (os.getuid(),) * 2, (os.getgid(),) * 2)
    return make_plan(files, find_environment(files, str(venv.python), invocation), invocation)


def _hangs_on_code(when: str | None) -> bool:
    """Whether a file is loaded only where a branch is taken, or a function called, of which no file tells."""
    return any(not one.startswith("only if the start goes on with ") for one in when.split("; ")) if when else False


def marks_of(plan: StartupPlan, copies: Path) -> list[str]:
    """The copies that begin to run in a start with ``-c``, in order."""
    events: list[tuple[int, int, str]] = []
    for entry in plan.entries:
        if entry.when is not None and WHEN in entry.when:
            continue
        events += [(one.order, 0, entry.path) for one in entry.occurrences if one.outcome == "runs"]
        closure = [(place, file) for place, file in enumerate(entry.closure, 1) if not _hangs_on_code(file.when)]
        events += [(file.order or 0, place, file.path) for place, file in closure]
    names = []
    for _, _, path in sorted(events):
        if path.startswith(f"{copies}/"):
            names.append(path[len(str(copies)) + 1 :].removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return names


@pytest.mark.parametrize("interpreter", every_version())
def test_modules_that_an_interpreter_imports_by_itself_run_from_pythonpath_in_the_planned_order(
    interpreter: Interpreter,
    shadowed: dict[Interpreter, tuple[Venv, Path]],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> None:
    venv, copies = prepared(interpreter, shadowed, tmp_path_factory)
    wrong = {}
    for name, (flags, more) in STARTS.items():
        marks = tmp_path / "marks"
        marks.unlink(missing_ok=True)
        environ = {
            "LANG": "C.UTF-8", "HOME": os.devnull, "PYTHONPATH": str(copies), "ENVCHECK_MARKS": str(marks), **more,
        }  # fmt: skip
        done = subprocess.run(
            [str(venv.python), *flags, "-B", "-c", "pass"], env=environ, capture_output=True, timeout=60
        )
        assert done.returncode == 0, (name, done.stderr)
        real = marks.read_text().split() if marks.exists() else []
        plan = marks_of(planned(venv, flags, environ), copies)
        if plan != real:
            wrong[name] = f"planned {' '.join(plan)}; real {' '.join(real)}"
    assert not wrong, "\n".join(f"{name}: {told}" for name, told in wrong.items())


@pytest.mark.parametrize("interpreter", every_version())
def test_a_clean_start_has_no_entry_for_what_the_standard_library_answers(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    environ = {"LANG": "C.UTF-8", "HOME": os.devnull, "PYTHONWARNINGS": "ignore::colorsys.Cat,error:text"}
    entries = planned(venv, ("-Xdev",), {**environ, "PYTHONIOENCODING": "cp1252"}).entries
    assert [entry for entry in entries if entry.kind != "sitecustomize"] == []


# Warning categories -------------------------------------------------------------------------------------------------


def filled(venv: Venv, around: Path, files: dict[str, str], flags: tuple[str, ...], environ: dict[str, str]) -> Built:
    """PYTHONPATH is ``around``; every file leaves its mark, then does what its text says."""
    around.mkdir()
    marks = {}
    for number, (name, text) in enumerate(files.items()):
        path = around / name if not name.startswith("site/") else venv.site / name[5:]
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = f"m{number}"
        path.write_text(MARK.replace("{name}", mark) + text)
        marks[str(path)] = mark
    (around / "here").mkdir()
    case = Case(venv.interpreter.minor, {}, {})
    base = {"LANG": "C.UTF-8", "HOME": os.devnull, "ENVCHECK_MARKS": str(around / "marks"), "PYTHONPATH": str(around)}
    return Built(case, around, venv.python, flags, {**base, **environ}, marks)


CATEGORIES: dict[str, tuple[dict[str, str], str, list[str] | None]] = {
    "a module": ({"cat.py": "class C(Warning): pass\n"}, "cat.C", ["m0"]),
    "a class that is not there": ({"cat.py": ""}, "cat.C", ["m0"]),
    "a package and its module": ({"p/__init__.py": "", "p/m.py": ""}, "p.m.C", ["m0", "m1"]),
    "a submodule in place of a class": ({"p/__init__.py": "", "p/c.py": ""}, "p.c", ["m0", "m1"]),
    "a name that no import statement could have": ({"a-b.py": ""}, "a-b.C", ["m0"]),
    "what the module imports": ({"cat.py": "import other\n", "other.py": ""}, "cat.C", ["m0", "m1"]),
    "a module that fails": ({"cat.py": "import nowhere_at_all\n"}, "cat.C", ["m0"]),
    "a built-in one": ({"builtins.py": "", "sys.py": ""}, "sys.C", []),
    "one that site would import later": ({"stat.py": "from _stat import *\n"}, "stat.C", None),
    "a module of a site directory, which has not joined yet": ({"site/cat.py": ""}, "cat.C", []),
    "a module of the current directory": ({"cwd-only.py": ""}, "nothing.C", []),
}


@pytest.mark.parametrize("interpreter", every_version())
def test_the_module_of_a_warning_category_runs_before_site(interpreter: Interpreter, tmp_path: Path) -> None:
    wrong = {}
    for number, (name, (files, category, expected)) in enumerate(CATEGORIES.items()):
        venv = make_venv(tmp_path / f"venv{number}", interpreter)
        tree = filled(
            venv,
            tmp_path / f"around{number}",
            files,
            (*(("-S",) if expected is None else ()), f"-Wignore::{category}"),
            {},
        )
        found = judge(tree)
        if expected is None:
            expected = ["m0"] if interpreter.minor < (3, 11) else []
        if not found.agrees or found.real != [*expected, END]:
            wrong[name] = (found.planned, found.real)
    assert not wrong


@pytest.mark.parametrize("option", ["ignore:text", "ignore:::name", "ignore:text:no.such:name"])
@pytest.mark.parametrize("interpreter", every_version())
def test_a_message_or_module_of_an_option_loads_re(interpreter: Interpreter, option: str, tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    tree = filled(venv, tmp_path / "around", {"re.py": "def compile(*a): return a\nescape = I = str\n"}, (), {})
    found = judge(tree._replace(environ={**tree.environ, "PYTHONWARNINGS": f"error,{option}"}))
    assert found.real == [*(["m0"] if "no.such" not in option else []), END]
    assert found.agrees


def test_a_category_in_a_zip_of_pythonpath_runs(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", of_minor((3, 11)))
    archive = tmp_path / "modules.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("cat.py", MARK.replace("{name}", "m0"))
    environ = {"LANG": "C.UTF-8", "ENVCHECK_MARKS": str(tmp_path / "marks"), "PYTHONPATH": str(archive)}
    (tmp_path / "here").mkdir()
    case = Case(venv.interpreter.minor, {}, {})
    tree = Built(case, tmp_path, venv.python, ("-Wignore::cat.C",), environ, {f"{archive}/cat.py": "m0"})
    found = judge(tree)
    assert found.planned == found.real == ["m0", END]
    (entry,) = found.plan.entries
    assert (entry.kind, entry.path) == ("warnings-category", f"{archive}/cat.py")
    assert entry.sha256 is not None


# Codecs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "modules"),
    [
        ("UTF-8", ("utf_8",)),
        ("ISO-8859-1", ("latin_1", "iso_8859_1")),
        ("no such", ("no_such",)),
        ("../evil", ()),
        ("evil.codec", ()),
        ("CP 1252", ("cp_1252",)),
    ],
)
def test_a_codec_is_looked_for_under_the_names_that_encodings_tries(encoding: str, modules: tuple[str, ...]) -> None:
    assert module_names(encoding) == modules


@pytest.mark.parametrize("interpreter", every_version())
def test_a_package_named_encodings_on_pythonpath_runs_and_what_follows_is_conditional(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    (venv.site / "a.pth").write_text("import sys\n")
    tree = filled(venv, tmp_path / "around", {"encodings/__init__.py": ""}, (), {})
    found = judge(tree)
    assert found.real == ["m0"]
    assert found.planned[0] == "m0"
    first, *rest = found.plan.entries
    assert (first.kind, first.runs, first.when) == ("codec", 1, None)
    line = next(entry for entry in rest if entry.kind == "pth-import")
    assert line.runs
    assert line.when is not None
    assert "encodings/__init__.py" in line.when


def test_a_codec_of_no_standard_name_in_the_standard_library_is_an_entry(tmp_path: Path) -> None:
    plan = base_with_codec(tmp_path, "evil.py", PYTHONIOENCODING="evil")
    (entry,) = plan.entries
    assert (entry.kind, os.path.basename(entry.path), entry.runs) == ("codec", "evil.py", 1)
    assert base_with_codec(tmp_path, "evil.py").entries == ()
    (abort,) = base_with_codec(tmp_path, "evil.py", PYTHONIOENCODING="missing").aborts
    assert not abort.certain


def base_with_codec(root: Path, name: str, **environ: str) -> StartupPlan:
    from startup.trees import Place

    place = Place(root / str(len(list(root.iterdir()))))
    for each in ("__init__.py", "aliases.py", "utf_8.py", name):
        place.write(str(place.stdlib / "encodings" / each))
    return place.plan(**environ)


def test_a_locale_that_may_not_be_installed_gives_both_codecs_with_their_conditions(tmp_path: Path) -> None:
    from startup.trees import Place

    place = Place(tmp_path, "3.12.4")
    shadow = tmp_path / "shadow"
    for each in ("__init__.py", "aliases.py", "utf_8.py", "iso8859_15.py"):
        place.write(str(shadow / "encodings" / each))
    place.initial = (str(shadow), str(place.stdlib))
    plan = place.plan(LANG="de_DE.ISO-8859-15")
    conditions = {os.path.basename(entry.path): entry.when or "" for entry in plan.entries}
    assert "is installed" in conditions["iso8859_15.py"]
    assert "is not installed" in conditions["utf_8.py"]


# Interactive sessions -----------------------------------------------------------------------------------------------


def of_kind(plan: StartupPlan, kind: str) -> list[StartupEntry]:
    return [entry for entry in plan.entries if entry.kind == kind]


@pytest.mark.parametrize("interpreter", every_version())
def test_the_file_of_pythonstartup_runs_in_an_interactive_session_from_its_source(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    tree = filled(venv, tmp_path / "around", {"rc.py": "import helper\n", "helper.py": ""}, (), {})
    environ = {**tree.environ, "PYTHONSTARTUP": str(tree.root / "rc.py")}
    real = subprocess.run(
        [str(venv.python), "-B", "-i"], env=environ, input=b"", capture_output=True, timeout=60, cwd=tmp_path
    )
    assert real.returncode == 0, real.stderr
    assert Path(environ["ENVCHECK_MARKS"]).read_text().split() == ["m0", "m1"]
    (entry,) = of_kind(planned(venv, (), environ), "pythonstartup")
    assert (entry.runs, entry.when, entry.path) == (1, WHEN, environ["PYTHONSTARTUP"])
    assert [os.path.basename(file.path) for file in entry.closure] == ["helper.py"]
    assert entry.sha256 is not None
    for flag in ("-E", "-I"):
        assert of_kind(planned(venv, (flag,), environ), "pythonstartup") == []
    relative = {**environ, "PYTHONSTARTUP": "rc.py"}
    assert of_kind(planned(venv, (), relative), "pythonstartup") == []


def test_a_pythonstartup_that_is_no_file_or_the_processs_own_is_not_opened(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", of_minor((3, 11)))
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "missing", Path("/proc/self/cwd/rc.py"), Path("/dev/stdin")):
        assert of_kind(planned(venv, (), {"PYTHONSTARTUP": str(path)}), "pythonstartup") == []


def test_modules_of_the_prompt_on_pythonpath_are_entries_of_an_interactive_session(tmp_path: Path) -> None:
    for minor, expected in (((3, 12), ["rlcompleter.py"]), ((3, 13), ["rlcompleter.py", "__init__.py"])):
        venv = make_venv(tmp_path / f"venv{minor[1]}", of_minor(minor))
        around = tmp_path / f"around{minor[1]}"
        tree = filled(venv, around, {"rlcompleter.py": "", "_pyrepl/__init__.py": ""}, (), {})
        plan = planned(venv, (), tree.environ)
        assert [os.path.basename(entry.path) for entry in plan.entries] == expected
        assert {entry.when for entry in plan.entries} == {WHEN}
        assert planned(venv, ("-I",), tree.environ).entries == ()
        hookless = planned(venv, ("-S",), tree.environ).entries
        assert [os.path.basename(entry.path) for entry in hookless] == expected[1:]


# Before site, of a debug build: no interpreter at hand is one, so what is expected rests on CPython's source ----------


@pytest.mark.parametrize("asked", ["variable", "option"])
def test_a_debug_build_imports_the_module_of_presite_before_site(asked: str, tmp_path: Path) -> None:
    place = Place(tmp_path, "3.13.0", abi="cp313d")
    place.write("a.pth", "import os\n")
    place.initial = (str(place.stdlib), str(tmp_path / "around"))
    early = place.write(str(tmp_path / "around" / "early" / "__init__.py"), "from . import more\n")
    more = place.write(str(tmp_path / "around" / "early" / "more.py"), "def go():\n    import late\n")
    late = place.write(str(tmp_path / "around" / "late.py"))
    flags = ("-Xpresite=early.more:go",) if asked == "option" else ()
    environ = {"PYTHON_PRESITE": "early.more:go"} if asked == "variable" else {}
    first, second = place.plan(*flags, **environ).entries
    assert (first.kind, first.path, first.runs) == ("startup-module", str(early), 1)
    assert [file.path for file in first.closure] == [str(more), str(late)]
    assert second.code == "import os"


@pytest.mark.parametrize(
    ("version", "abi", "flags"),
    [("3.13.0", "cp313", ()), ("3.12.1", "cp312d", ()), ("3.13.0", "cp313d", ("-E",)), ("3.13.0", "cp313d", ("-I",))],
)
def test_other_builds_and_flags_take_no_notice_of_presite(
    version: str, abi: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    place = Place(tmp_path, version, abi=abi)
    place.initial = (str(place.stdlib), str(tmp_path / "around"))
    place.write(str(tmp_path / "around" / "early.py"))
    assert place.plan(*flags, PYTHON_PRESITE="early").entries == ()


@pytest.mark.parametrize("text", ["", "early", ":", "early:", ":go", "early.more", "a b", "early:go()", "\0", "." * 99])
def test_any_text_of_presite_gives_a_plan(text: str, tmp_path: Path) -> None:
    place = Place(tmp_path, "3.13.0", abi="cp313d")
    assert place.plan(PYTHON_PRESITE=text).entries == ()
