"""Each kind of file of an environment, changed in each way: the finding has the right rule at the right path.

``pytest -s`` prints the table.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from envcheck.model.finding import Finding, Severity
from envcheck.model.report import EnvironmentReport, Options
from envcheck.scanner import scan_targets
from support.pythons import Interpreter
from support.venvs import Venv, make_venv, pip_install
from support.wheels import build_wheel

ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
SITE = "lib/{python}/site-packages/"
MEDIUM, HIGH, LOW = Severity.MEDIUM, Severity.HIGH, Severity.LOW


class Case(NamedTuple):
    change: str
    path: str
    rule: str
    severity: Severity = HIGH


def owned(path: str, *, script: bool = False) -> list[Case]:
    """What a RECORD lists, in each way but chmod."""
    changed = "script-modified" if script else "file-modified"
    cases = [
        Case("edit", path, changed),
        Case("swap", path, changed),
        Case("delete", path, "file-missing", MEDIUM),
    ]
    if not script:
        cases.append(Case("link", path, "link-outside", LOW))
    return cases


CASES = [
    *owned(SITE + "demo/core.py"),
    *owned(SITE + "demo/data.txt"),
    *owned(SITE + "demo/_native.so"),
    *owned(SITE + "demo.libs/libdemo.so.1"),
    *owned(SITE + "demo/cacert.pem"),
    *owned(SITE + "demo-1.0.dist-info/entry_points.txt"),
    *owned("share/jupyter/kernels/demo/kernel.json")[:3],
    *owned("etc/ipython/startup/demo.py")[:3],
    *owned("bin/demo", script=True),
    *owned("bin/demo-tool", script=True),
    Case("add", SITE + "helper.py", "file-unowned"),
    Case("add", SITE + "demo/helper.py", "file-unowned"),
    Case("add", SITE + "demo/notes.txt", "file-unowned", LOW),
    Case("add-elf", SITE + "demo/notes.txt", "file-unowned"),
    Case("add-elf", SITE + "demo.libs/libother", "file-unowned"),
    Case("add", SITE + "demo.pkg", "file-unowned"),
    Case("add", SITE + "_manylinux.py", "phantom-module"),
    Case("add", SITE + "msvcrt.py", "phantom-module"),
    Case("add", SITE + "demo/cacert2/cacert.pem", "file-unowned"),
    Case("add", "etc/ipython/startup/00.py", "file-unowned"),
    Case("add", "etc/jupyter/jupyter_config.json", "file-unowned", MEDIUM),
    Case("add", "share/jupyter/kernels/evil/kernel.json", "file-unowned", MEDIUM),
    Case("add", "etc/conda/activate.d/evil.sh", "file-unowned"),
    Case("add", "bin/helper.py", "script-unowned"),
    Case("add-elf", "bin/helper", "script-unowned"),
    Case("add-elf", "bin/git", "script-shadows-command"),
    Case("add-elf", "bin/ls", "script-shadows-command"),
    Case("add-elf", "bin/rustc", "script-shadows-command"),
    Case("add-index", "pip.conf", "installer-config", MEDIUM),
    Case("add-index", "uv.toml", "installer-config", MEDIUM),
    *(
        Case(change, f"bin/{name}", "venv-activate-modified", severity)
        for name in ("activate", "activate.csh", "activate.fish", "Activate.ps1")
        for change, severity in (("edit", HIGH), ("swap", HIGH), ("link", HIGH), ("truncate", LOW))
    ),
    Case("swap", "bin/python3", "venv-interpreter-replaced"),
    Case("add-elf", "bin/python2", "venv-interpreter-replaced"),
    Case("edit", "bin/python3", "venv-interpreter-replaced"),
    Case("link", "bin/python3", "venv-interpreter-replaced"),
    Case("contradict", "pyvenv.cfg", "venv-home-moved"),
    *(
        Case("chmod", path, "environment-writable", MEDIUM)
        for path in ("pyvenv.cfg", "bin", "bin/demo", "bin/activate", SITE, SITE + "demo", SITE + "demo.pth", "")
    ),
]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, interpreter: Interpreter) -> tuple[Venv, Path]:
    """An environment, and a copy of it from which it is made anew for each case."""
    top = tmp_path_factory.mktemp("mutations")
    data = "demo-1.0.data/data/"
    wheel = build_wheel(
        top,
        "demo",
        "1.0",
        {
            "demo/__init__.py": "",
            "demo/core.py": "x = 1\n",
            "demo/data.txt": "x\n",
            "demo/cacert.pem": "x\n",
            "demo/_native.so": ELF,
            "demo.libs/libdemo.so.1": ELF,
            "demo.pth": "# nothing\n",
            data + "share/jupyter/kernels/demo/kernel.json": "{}\n",
            data + "etc/ipython/startup/demo.py": "x = 1\n",
        },
        console_scripts={"demo": "demo.core:main"},
        scripts={"demo-tool": "#!python\nimport demo\n"},
    )
    venv = make_venv(top / "env", interpreter)
    pip_install(venv, [wheel])
    shutil.copytree(venv.path, top / "pristine", symlinks=True)
    return venv, top / "pristine"


@pytest.fixture
def venv(pristine: tuple[Venv, Path]) -> Venv:
    made, copy = pristine
    shutil.rmtree(made.path)
    shutil.copytree(copy, made.path, symlinks=True)
    return made


def findings(venv: Venv) -> tuple[Finding, ...]:
    report = scan_one(venv)
    assert report.not_seen == ()
    return report.findings


def scan_one(venv: Venv, startup_only: bool = False) -> EnvironmentReport:
    options = Options(workers=1, startup_only=startup_only)
    (report,) = scan_targets([str(venv.path)], [options]).environments
    return report


def change(how: str, path: Path, elsewhere: Path) -> None:
    if how.startswith("add"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes({"add-elf": ELF, "add-index": b"index-url = 'https://evil.example'\n"}.get(how, b"x = 1\n"))
        path.chmod(0o755 if how == "add-elf" else 0o644)
    elif how == "delete":
        path.unlink()
    elif how == "chmod":
        path.chmod(path.stat().st_mode | 0o002)
    elif how == "contradict":
        path.write_text(path.read_text() + "home = /nowhere\n")
    elif how == "truncate":
        path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:-5]))
    else:
        data = b"" if path.is_symlink() else path.read_bytes()
        mode = path.stat().st_mode
        if path.is_symlink() or how == "link":
            path.unlink()
        if how == "link":
            elsewhere.write_bytes(data or ELF)
            path.symlink_to(elsewhere)
        else:
            path.write_bytes(data + b"# changed\n" if how == "edit" else b"import os\n")
            path.chmod(mode)


def test_nothing_is_found_before_a_change(venv: Venv) -> None:
    assert [found for found in findings(venv) if found.severity > Severity.INFO] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.change} {case.path}")
def test_each_change_is_found(venv: Venv, tmp_path: Path, case: Case) -> None:
    path = Path(str(venv.path / case.path.format(python=venv.interpreter.name)).rstrip("/"))
    change(case.change, path, tmp_path / "elsewhere")
    told = findings(venv)
    print(f"{case.change:<11} {case.path:<50} {case.rule} {case.severity.label}")
    assert (case.rule, case.severity, str(path)) in {(one.rule, one.severity, one.path) for one in told}, told


@pytest.mark.parametrize("startup_only", [False, True])
def test_a_path_line_to_a_directory_that_others_may_make(venv: Venv, tmp_path: Path, startup_only: bool) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    (venv.site / "shared.pth").write_text(f"# nothing\n{tmp_path}/open/shared\n{tmp_path}/closed/shared\n")
    report = scan_one(venv, startup_only)
    found = [one for one in report.findings if one.rule == "startup-path-writable"]
    assert [(one.path, one.line, one.severity) for one in found] == [(str(venv.site / "shared.pth"), 2, HIGH)]


def test_a_base_interpreter_with_rights_of_its_own(venv: Venv, tmp_path: Path) -> None:
    base = tmp_path / "base" / "bin"
    base.mkdir(parents=True)
    copy = str(shutil.copy2(venv.interpreter.path, base / venv.interpreter.name))
    Path(copy).chmod(0o4755)
    (venv.bin / "python").unlink()
    (venv.bin / "python").symlink_to(copy)
    assert "environment-writable" in {one.rule for one in findings(venv) if one.path == copy}
