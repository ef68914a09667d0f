"""Environments that nobody attacked, made by the real tools: nothing is found.

The startup entries are exactly those that the real interpreter runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.locks import hashed_requirements, uv_lock
from support.pythons import Interpreter, interpreters, own
from support.scanning import Scan, environ
from support.venvs import (
    Venv,
    install,
    make_venv,
    make_with_uv,
    make_with_virtualenv,
    need_tool,
    pip_install,
    project_with_backend,
    run,
    uv_install,
)
from support.wheels import Wheel, build_wheel

# `site` compiles each import line as "<string>" from `addpackage`: an audit hook sees it with its file. The hook must
# be there first, so the interpreter is started without `site`, which is then run by hand.
ORACLE = """
import json, sys
lines = []

def hook(event, arguments):
    if event == 'compile':
        frame = sys._getframe(1)
        if frame.f_code.co_name == 'addpackage' and 'fullname' in frame.f_locals:
            source = arguments[0]
            source = source.decode() if isinstance(source, bytes) else source
            lines.append([frame.f_locals['fullname'], source.rstrip('\\n')])

sys.addaudithook(hook)
sys.path.remove('')  # the current directory joins after `site`, as -c and -m want it
import site
site.main()
print(json.dumps([lines, [name for name in ('sitecustomize', 'usercustomize') if name in sys.modules], sys.path]))
"""


def really_run(venv: Venv, **environ: str) -> tuple[Counter[tuple[str, str]], list[str], list[str]]:
    """The import lines that the real interpreter executes, and how often; its customize modules; its ``sys.path``."""
    done = venv.start(ORACLE, "-S", **environ)
    assert done.returncode == 0, done.stderr
    lines, modules, path = json.loads(done.stdout.splitlines()[-1])
    return Counter((file, line) for file, line in lines), modules, path


def assert_clean(found: Scan, venv: Venv, severity: str = "low") -> None:
    """Nothing found, nothing unseen, and the plan is what really runs."""
    assert found.code == 0, found.told()
    assert not found.at_least(severity), found.told()
    assert found.environment["not_seen"] == [], found.told()
    assert found.document["scan"]["complete"] is True
    assert found.document["scan"]["clean_room"] is True
    for entry in found.startup:
        # Installers compile what they install: only an interpreter of the same version proves where it comes from.
        proofs = {file["bytecode"] for file in entry["closure_files"] if file["loads"]}
        assert proofs <= {"proven" if venv.interpreter.minor == own().minor else "unproven"}, entry
        assert not entry["runs"] or entry["verdict"] == ("unproven" if "unproven" in proofs else "expected"), entry
    assert_plan_is_real(found, venv)


def assert_plan_is_real(found: Scan, venv: Venv, **environ: str) -> None:
    """The same lines, each as often, the same customize modules and the same ``sys.path``."""
    lines, modules, path = really_run(venv, **environ)
    planned = Counter(
        {
            (e["path"], e["code"].rstrip("\n")): e["runs"]
            for e in found.startup
            if e["kind"] == "pth-import" and e["runs"]
        }
    )
    assert planned == lines
    assert sorted(e["kind"] for e in found.startup if e["kind"].endswith("customize") and e["runs"]) == sorted(modules)
    assert [entry for entry in found.environment["sys_path"] if entry] == [entry for entry in path if entry]


NEWEST = {found.minor: found for found in interpreters() if (3, 8) <= found.minor <= (3, 15)}


@pytest.fixture(params=NEWEST.values(), ids=lambda found: found.text)
def each(request: pytest.FixtureRequest) -> Interpreter:
    """Every interpreter that this machine has, the newest of each minor version."""
    return request.param


def test_a_venv_without_pip_of_each_version(each: Interpreter, tmp_path: Path, attacker: Any) -> None:
    venv = make_venv(tmp_path / "env", each)
    found = attacker.scan(venv)
    assert_clean(found, venv)
    assert found.environment["python"]["version"] == each.text
    assert found.environment["kind"] == "venv"
    assert found.environment["python"]["base_prefix"] == str(Path(each.path).parent.parent)


def test_a_venv_as_venv_seeds_it(seeded: Venv, attacker: Any) -> None:
    found = attacker.scan(seeded)
    assert_clean(found, seeded)
    assert {"pip", "setuptools"} <= {distribution["name"] for distribution in found.environment["distributions"]}
    assert ("distutils-precedence.pth", 1) in found.ran()


def test_a_venv_of_each_version_made_with_copies(each: Interpreter, tmp_path: Path, attacker: Any) -> None:
    venv = make_venv(tmp_path / "env", each, "--copies", "--without-pip")
    assert_clean(attacker.scan(venv), venv)


def test_an_environment_by_virtualenv(with_setuptools: Venv, attacker: Any) -> None:
    found = attacker.scan(with_setuptools)
    assert_clean(found, with_setuptools)
    assert found.ran() == [("distutils-precedence.pth", 1)]


def test_an_environment_by_virtualenv_with_its_shim(seeded_by_virtualenv: Venv, attacker: Any) -> None:
    found = attacker.scan(seeded_by_virtualenv)
    assert_clean(found, seeded_by_virtualenv)
    assert found.ran() == [("_virtualenv.pth", 1), ("distutils-precedence.pth", 1)]


@pytest.mark.parametrize("option", [None, "--relocatable"])
def test_an_environment_by_uv(
    interpreter: Interpreter, tmp_path: Path, attacker: Any, colours: Wheel, option: str | None
) -> None:
    need_tool("uv")
    venv = make_with_uv(tmp_path / "env", interpreter, *([option] if option else []))
    uv_install(venv, [colours])
    assert_clean(attacker.scan(venv), venv)


@pytest.mark.parametrize("compiled", [False, True], ids=["source only", "with bytecode"])
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_wheels_installed_against_the_lock_that_has_them(
    interpreter: Interpreter, tmp_path: Path, attacker: Any, colours: Wheel, shapes: Wheel, tool: str, compiled: bool
) -> None:
    venv = make_venv(tmp_path / "env", interpreter)
    if tool == "uv":
        uv_install(venv, [colours, shapes], *(["--compile-bytecode"] if compiled else []))
    else:
        pip_install(venv, [colours, shapes], "--compile" if compiled else "--no-compile")
    requirements = hashed_requirements(tmp_path / "requirements.txt", colours, shapes)
    lock = uv_lock(tmp_path / "project", colours, shapes)
    for path in (requirements, lock):
        found = attacker.scan(venv, "--lock", path)
        assert_clean(found, venv)
        assert {d["lock"] for d in found.environment["distributions"]} == {"match"}
        assert {d["assurance"] for d in found.environment["distributions"]} == {"recorded"}
        assert {d["installer"] for d in found.environment["distributions"]} == {tool}
        assert found.environment["lock"]["path"] == str(path)
        assert found.environment["lock"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_packages_that_were_used(venv: Venv, attacker: Any) -> None:
    """Importing writes bytecode that no RECORD lists."""
    for cache in venv.site.rglob("__pycache__"):
        shutil.rmtree(cache)
    for flag in ((), ("-O",), ("-OO",)):
        assert venv.start("import colours.mix, shapes", *flag).returncode == 0
    assert list(venv.site.rglob("__pycache__/*.opt-2.pyc"))
    assert_clean(attacker.scan(venv), venv)


def test_seeds_are_ignored_beside_a_lock_that_does_not_name_them(seeded: Venv, attacker: Any, tmp_path: Path) -> None:
    lock = uv_lock(tmp_path / "project")
    found = attacker.scan(seeded, "--lock", lock)
    assert_clean(found, seeded)
    states = {d["name"]: d["lock"] for d in found.environment["distributions"]}
    assert set(states.values()) == {"ignored"}, states


def test_an_environment_of_a_project_is_compared_with_the_projects_lock(
    interpreter: Interpreter, tmp_path: Path, attacker: Any, colours: Wheel
) -> None:
    project = tmp_path / "project"
    lock = uv_lock(project, colours)
    venv = make_venv(project / ".venv", interpreter)
    install(venv, [colours])
    for cwd, target in ((project, Path(".venv")), (attacker.elsewhere, project / ".venv"), (project, None)):
        found = attacker.scan(target, cwd=cwd)
        assert found.environment["lock"]["path"] == str(lock), found.told()
        assert found.environment["path"] == str(project / ".venv")
        assert found.code == 0


# Editable installs


def hatchling(project: Path) -> list[str]:
    """The command that builds an editable wheel with hatchling."""
    if subprocess.run([sys.executable, "-I", "-c", "import hatchling.build"], capture_output=True).returncode:
        pytest.skip("hatchling is not installed beside the tests")
    code = "import sys, hatchling.build; print(hatchling.build.build_editable(sys.argv[1]))"
    return [sys.executable, "-I", "-c", code]


def uv_build(project: Path) -> list[str]:
    """The same with the backend that uv carries."""
    return [need_tool("uv"), "build-backend", "build-editable"]


@pytest.mark.parametrize("backend", [hatchling, uv_build])
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_an_editable_install_by(
    interpreter: Interpreter, tmp_path: Path, attacker: Any, backend: Callable[[Path], list[str]], tool: str
) -> None:
    project = tmp_path / "shop"
    command = backend(project)
    project_with_backend(project, "shop", command, {"src/shop/__init__.py": "", "README.md": ""})
    venv = make_venv(tmp_path / "env", interpreter)
    (uv_install if tool == "uv" else pip_install)(venv, ["--editable", str(project)])
    assert list(venv.site.glob("*.pth"))
    found = attacker.scan(venv)
    assert_clean(found, venv)
    assert str(project / "src") in found.environment["sys_path"]
    locked = attacker.scan(venv, "--lock", uv_lock(project))
    assert locked.code == 0
    assert not locked.at_least("low"), locked.told()


@pytest.fixture
def with_setuptools(templates: Any, interpreter: Interpreter) -> Venv:
    """``virtualenv`` with current pip and setuptools."""
    need_tool("virtualenv")
    return templates.fresh("setuptools", lambda path: make_with_virtualenv(path, interpreter, "--setuptools", "bundle"))


@pytest.mark.parametrize("layout", ["src", "flat"])
def test_an_editable_install_by_setuptools(with_setuptools: Venv, tmp_path: Path, attacker: Any, layout: str) -> None:
    """A finder module and an import line (flat layout), or a path line."""
    venv = with_setuptools
    project = tmp_path / "shop"
    for package in ("shop", "shop/parts", "shop_tools"):
        directory = project / ("src" if layout == "src" else "") / package
        directory.mkdir(parents=True)
        (directory / "__init__.py").write_text("")
    packages = "" if layout == "src" else "[tool.setuptools]\npackages = ['shop', 'shop.parts', 'shop_tools']\n"
    (project / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'setuptools.build_meta'\n"
        f"[project]\nname = 'shop'\nversion = '0.1.0'\n{packages}"
    )
    command = [str(venv.python), "-I", "-m", "pip", "install", "-q", "--no-build-isolation", "--no-index", "--no-deps"]
    run([*command, "--editable", str(project)])
    assert list(venv.site.glob("__editable__*.pth"))
    assert bool(list(venv.site.glob("__editable__*_finder.py"))) == (layout == "flat")
    found = attacker.scan(venv)
    assert_clean(found, venv)
    (shop,) = (d for d in found.environment["distributions"] if d["name"] == "shop")
    assert shop["modified"] == 0


# Base interpreters and bare directories


def test_a_base_interpreter(base: Venv, attacker: Any, colours: Wheel) -> None:
    command = [sys.executable, "-I", "-m", "pip", "--python", str(base.python), "install", "-q", "--no-index"]
    run([*command, "--no-deps", "--break-system-packages", f"--find-links={colours.path.parent}", "colours"])
    for target in (base.path, base.python, base.bin / base.interpreter.name):
        found = attacker.scan(target)
        assert found.environment["kind"] == "base"
        assert found.environment["path"] == str(base.path)
        assert_clean(found, base, "medium")
        assert {d["name"] for d in found.environment["distributions"]} == {"colours"}


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_target_directory(interpreter: Interpreter, tmp_path: Path, attacker: Any, colours: Wheel, tool: str) -> None:
    target = tmp_path / "vendored"
    what = [f"--find-links={colours.path.parent}", "--no-index", "--no-deps", "--target", str(target), "colours"]
    if tool == "uv":
        run([need_tool("uv"), "pip", "install", "-q", "--python", interpreter.path, "--no-cache", *what])
    else:
        run([sys.executable, "-I", "-m", "pip", "install", "-q", *what])
    found = attacker.scan(target)
    assert found.environment["kind"] == "target-directory"
    assert [d["name"] for d in found.environment["distributions"]] == ["colours"]
    assert not found.at_least("medium"), found.told()


def test_a_user_site(base: Venv, tmp_path: Path, attacker: Any, colours: Wheel) -> None:
    user = tmp_path / "user"
    run(
        [
            *(sys.executable, "-I", "-m", "pip", "--python", str(base.python), "install", "-q", "--no-index", "--user"),
            *("--no-deps", "--break-system-packages", f"--find-links={colours.path.parent}", "colours"),
        ],
        PYTHONUSERBASE=str(user),
    )
    for target in (user / "lib" / base.interpreter.name / "site-packages", user):
        found = attacker.scan(target, env=environ(attacker.home, PYTHONUSERBASE=str(user)))
        assert [d["name"] for d in found.environment["distributions"]] == ["colours"]
        assert not found.at_least("medium"), found.told()


def test_a_venv_is_the_same_however_it_is_named(venv: Venv, attacker: Any) -> None:
    reports = []
    for target in (venv.path, venv.python, venv.bin / "python3"):
        found = attacker.scan(target)
        assert found.environment["path"] == str(venv.path)
        reports.append([found.startup, found.environment["distributions"], found.findings])
    assert reports[0] == reports[1] == reports[2]


def test_what_a_build_left_is_nothing_to_worry_about(venv: Venv, attacker: Any) -> None:
    """Namespace packages, data directories and type information are installed every day."""
    wheel = build_wheel(
        venv.path.parent / "more",
        "many-kinds",
        "3.0",
        {
            "space/part/__init__.py": "",
            "many_kinds/__init__.py": "",
            "many_kinds/py.typed": "",
            "many_kinds/native.cpython-399-x.so": b"\x7fELF",
            "many_kinds-stubs/__init__.pyi": "",
            'many_kinds/name with blank, comma and "quote".txt': "x",
            "many_kinds/naïve.txt": "x",
        },
        console_scripts={"many-kinds": "many_kinds:main", "many.kinds2": "many_kinds.sub:main.run"},
    )
    install(venv, [wheel])
    assert_clean(attacker.scan(venv), venv)
