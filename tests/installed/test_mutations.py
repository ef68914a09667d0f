"""The matrix: each kind of file of an environment and its base, changed in each way, on a copy that is otherwise clean.

A cell names the rule that finds it, and where; or says in words why there is nothing to find. ``pytest -s`` prints the
table. What only *adds* a file is a list of its own: where it is put decides what it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from envcheck.model.finding import Finding, Severity
from envcheck.model.report import EnvironmentReport, Options
from envcheck.scanner import scan_targets
from support.pythons import Interpreter
from support.records import change_rows, read_rows, write_rows
from support.venvs import Venv, make_venv, pip_install
from support.wheels import build_wheel, record_hash, record_row

ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW


class Found(NamedTuple):
    """What finds a change; at the changed file, if no other place is named."""

    rule: str
    severity: Severity = HIGH
    path: str | None = None


Cell = Found | str
"""A string says why there is nothing to find."""
Row = dict[str, Cell]

MODIFIED, UNOWNED, CONFLICT = Found("file-modified"), Found("file-unowned"), Found("record-conflict")
SCRIPT, NOBODYS = Found("script-modified"), Found("script-unowned")
STARTS, STARTS_ALTERED = Found("startup-code-unowned"), Found("startup-code-modified", CRITICAL)
MISSING, WRITABLE = Found("file-missing", MEDIUM), Found("environment-writable", MEDIUM)
OUTSIDE = Found("link-outside", LOW)

CODE: Row = {
    **{"edit": MODIFIED, "swap": MODIFIED, "delete": MISSING, "link": OUTSIDE, "chmod": WRITABLE},
    **{"blank": Found("record-unhashed", MEDIUM), "weaken": Found("record-unhashed", MEDIUM)},
    **{"double": CONFLICT, "unlist": UNOWNED, "second": MODIFIED},
}
"""What a RECORD lists and something runs or trusts."""
CONFIGURATION = CODE | {"unlist": Found("file-unowned", MEDIUM)}
DATA = CODE | {
    **{"blank": Found("record-unhashed", LOW), "weaken": Found("record-unhashed", LOW)},
    **{"double": Found("record-conflict", LOW), "unlist": Found("file-unowned", LOW)},
    "second": Found("record-conflict", LOW),
}
STARTUP = CODE | {
    **{"edit": STARTS_ALTERED, "swap": STARTS_ALTERED, "second": STARTS_ALTERED},
    **dict.fromkeys(("blank", "weaken", "double", "unlist"), STARTS),
}
DERIVED: Row = CODE | {
    **dict.fromkeys(("delete", "blank", "weaken", "double", "unlist"), "an installer's own note, which nothing runs"),
    "second": Found("record-conflict", LOW),
}
ENTRY_SCRIPT = CODE | dict.fromkeys(("edit", "swap", "blank", "weaken", "double", "unlist", "second"), SCRIPT)
DATA_SCRIPT = CODE | {
    **dict.fromkeys(("edit", "swap", "second"), SCRIPT),
    **dict.fromkeys(("blank", "weaken", "unlist"), NOBODYS),
}
MISMATCH = Found("startup-bytecode-mismatch", CRITICAL)
BYTECODE: Row = {
    **dict.fromkeys(("edit", "swap", "double", "second"), MISMATCH),
    **{"delete": "Python compiles the source again", "link": UNOWNED, "chmod": WRITABLE},
    **dict.fromkeys(("blank", "weaken", "unlist"), "bytecode has no hash of its own: its source proves it"),
}
_UNLISTED = dict.fromkeys(("blank", "weaken", "double", "unlist"), "no RECORD lists it")


def made(found: Found, delete: Cell, **more: Cell) -> Row:
    """What the maker of an environment leaves there."""
    return {**_UNLISTED, **dict.fromkeys(("edit", "swap", "link", "second"), found), "delete": delete} | {
        "chmod": WRITABLE,
        **more,
    }


ACTIVATE = made(Found("venv-activate-modified"), "there is nothing to activate with")
PYTHON = made(
    Found("venv-interpreter-replaced"),
    "the next python on PATH is none of this environment's",
    chmod="a link has no mode; its target's is below",
)
CFG = made(
    Found("venv-home-moved"),
    "what is left is no environment, and the report says so",
    link=OUTSIDE,
    swap="a copy of another environment's names its base: that is what is then scanned",
)
PIP_CONF = made(Found("installer-config", MEDIUM), "then nothing redirects", link=OUTSIDE)
RECORD: Row = dict.fromkeys(
    ("edit", "blank", "weaken", "double", "unlist", "second"),
    "it has no hash; what its rows say of other files is the rest of this table",
) | {
    "swap": Found("file-unowned", HIGH, "{site}/demo/plain.py"),
    "delete": Found("record-missing", MEDIUM, "{site}/demo-1.0.dist-info"),
    **{"link": OUTSIDE, "chmod": WRITABLE},
}

SITE = "lib/{python}/site-packages/"
CLASSES: dict[str, Row] = {
    SITE + "demo/plain.py": CODE,
    SITE + "demo/sub/__init__.py": CODE,
    SITE + "demo/core.py": STARTUP,
    SITE + "demo/__init__.py": STARTUP,
    SITE + "demo.pth": STARTUP,
    SITE + "demo.start": CODE
    | dict.fromkeys(("edit", "blank", "weaken", "double", "unlist", "second"), Found("startup-dormant", MEDIUM)),
    SITE + "demo/_native.so": CODE,
    SITE + "demo.libs/libdemo.so.1": CODE,
    SITE + "demo.libs/libplain": CODE,
    SITE + "bundle.zip": CODE,
    SITE + "bundle.egg": CODE,
    SITE + "demo.pkg": CODE,
    SITE + "demo/cacert.pem": CODE,
    SITE + "single.pyc": CODE,
    SITE + "demo/data.txt": DATA,
    SITE + "demo-1.0.dist-info/METADATA": DATA,
    SITE + "demo-1.0.dist-info/WHEEL": DATA,
    SITE + "demo-1.0.dist-info/entry_points.txt": CODE,
    SITE + "demo-1.0.dist-info/RECORD": RECORD,
    SITE + "demo-1.0.dist-info/INSTALLER": DERIVED,
    SITE + "demo/__pycache__/core.{tag}.pyc": BYTECODE,
    "share/jupyter/kernels/demo/kernel.json": CONFIGURATION,
    "share/jupyter/labextensions/demo/package.json": CONFIGURATION,
    "share/bash-completion/completions/demo": CODE,
    "share/demo/readme.txt": DATA,
    "etc/ipython/startup/demo.py": CODE,
    "etc/jupyter/jupyter_server_config.d/demo.json": CONFIGURATION,
    "etc/conda/activate.d/demo.sh": CODE,
    "bin/demo": ENTRY_SCRIPT,
    "bin/demo-tool": DATA_SCRIPT,
    "bin/demo-native": DATA_SCRIPT,
    "bin/python3": PYTHON,
    "pyvenv.cfg": CFG,
    "pip.conf": PIP_CONF,
    **{f"bin/{name}": ACTIVATE for name in ("activate", "activate.csh", "activate.fish", "Activate.ps1")},
}


class Mutable:
    """An environment, and a copy of it from which it is made anew for each cell."""

    def __init__(self, venv: Venv, kept: Path) -> None:
        self.venv = venv
        self._kept = kept

    def renew(self) -> None:
        shutil.rmtree(self.venv.path)
        shutil.copytree(self._kept, self.venv.path, symlinks=True)

    def path(self, pattern: str) -> Path:
        name = self.venv.interpreter.name
        tag = "cpython-" + name.removeprefix("python").replace(".", "")
        text = pattern.format(python=name, tag=tag, site=SITE.format(python=name))
        return Path(os.path.normpath(self.venv.path / text))

    def row_of(self, path: Path) -> str:
        return os.path.relpath(path, self.venv.site)

    def rows(self, path: Path, change: Callable[[list[str]], list[str] | None]) -> None:
        info = self.venv.dist_info("demo")
        change_rows(info, lambda row: change(row) if row[0] == self.row_of(path) else row)

    def edit(self, path: Path) -> bytes:
        """Change it as its format allows; the new content."""
        if path.is_symlink():
            path.unlink()
            path.write_bytes(ELF)
        elif path.name == "pip.conf":
            path.write_text("[global]\nindex-url = https://index.example/\n")
        else:
            more = b"home = /nowhere\n" if path.name == "pyvenv.cfg" else b"# changed\n"
            mode = path.stat().st_mode
            path.write_bytes(path.read_bytes() + more)
            path.chmod(mode)
        return path.read_bytes()

    def swap(self, path: Path) -> None:
        """Put another file of its kind in its place."""
        mode = path.stat().st_mode
        if path.is_symlink():
            path.unlink()
        data = b"import os\n"
        if path.name == "pip.conf":
            data = b"[install]\nfind-links = https://index.example/\n"
        elif "__pycache__" in path.parts:
            other = path.with_name(path.name.replace("core", "other"))
            source = path.parent.parent / "core.py"
            stamp = [int(source.stat().st_mtime), source.stat().st_size]
            data = other.read_bytes()[:8] + b"".join(n.to_bytes(4, "little") for n in stamp) + other.read_bytes()[16:]
        path.write_bytes(data)
        path.chmod(mode)

    def claim(self, path: Path, data: bytes) -> None:
        """A second distribution, complete in itself, whose RECORD has the hash of what is there now."""
        info = self.venv.site / "other-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        (info / "INSTALLER").write_text("pip\n")
        rows = [record_row(f"{info.name}/{name}", (info / name).read_bytes()) for name in ("METADATA", "INSTALLER")]
        rows += [record_row(self.row_of(path), data), f"{info.name}/RECORD,,"]
        (info / "RECORD").write_text("".join(row + "\n" for row in rows))

    def apply(self, how: str, path: Path, elsewhere: Path) -> None:
        if how == "swap":
            self.swap(path)
        elif how == "delete":
            path.unlink()
        elif how == "link":
            elsewhere.write_bytes(ELF if path.is_symlink() else path.read_bytes())
            path.unlink()
            path.symlink_to(elsewhere)
        elif how == "chmod":
            path.chmod(path.stat().st_mode | 0o002)
        else:
            data = self.edit(path)
            if how == "blank":
                self.rows(path, lambda row: [row[0], "", ""])
            elif how == "weaken":
                self.rows(path, lambda row: [row[0], "md5=1B2M2Y8AsgTpgAmY7PhCfg", row[2]])
            elif how == "double":
                info = self.venv.dist_info("demo")
                write_rows(info, [[self.row_of(path), record_hash(data), str(len(data))], *read_rows(info)])
            elif how == "unlist":
                self.rows(path, lambda row: None)
            elif how == "second":
                self.claim(path, data)

    def scan(self, startup_only: bool = False) -> EnvironmentReport:
        options = Options(workers=1, startup_only=startup_only)
        (report,) = scan_targets([str(self.venv.path)], [options]).environments
        return report


@pytest.fixture(scope="module")
def mutable(tmp_path_factory: pytest.TempPathFactory, interpreter: Interpreter) -> Mutable:
    top = tmp_path_factory.mktemp("mutations")
    data = "demo-1.0.data/data/"
    wheel = build_wheel(
        top,
        "demo",
        "1.0",
        {
            **{"demo/__init__.py": "", "demo/core.py": "x = 1\n", "demo/sub/__init__.py": "z = 3\n"},
            **{"demo/plain.py": "y = 2\n", "demo/other.py": "y = 3\n"},
            **{"demo/data.txt": "x\n", "demo/cacert.pem": "x\n", "demo/_native.so": ELF},
            **{"demo.libs/libdemo.so.1": ELF, "demo.libs/libplain": ELF},
            **{"demo.pth": "import demo.core\n", "demo.start": "demo.core:x\n", "demo.pkg": "# nothing\n"},
            **{"bundle.zip": b"PK\5\6" + bytes(18), "bundle.egg": b"PK\5\6" + bytes(18), "single.pyc": bytes(16)},
            data + "share/jupyter/kernels/demo/kernel.json": "{}\n",
            data + "share/jupyter/labextensions/demo/package.json": "{}\n",
            data + "share/bash-completion/completions/demo": "true\n",
            data + "share/demo/readme.txt": "x\n",
            data + "etc/ipython/startup/demo.py": "x = 1\n",
            data + "etc/jupyter/jupyter_server_config.d/demo.json": "{}\n",
            data + "etc/conda/activate.d/demo.sh": "true\n",
        },
        console_scripts={"demo": "demo.core:main"},
        scripts={"demo-tool": "#!python\nimport demo\n", "demo-native": ELF},
    )
    venv = make_venv(top / "env", interpreter)
    pip_install(venv, [wheel])
    # Nothing in it decides anything: a finding that is low, and that every cell has.
    (venv.path / "pip.conf").write_text("[global]\nquiet = 1\n")
    assert venv.start("import demo.core, demo.plain, demo.other").returncode == 0
    shutil.copytree(venv.path, top / "kept", symlinks=True)
    return Mutable(venv, top / "kept")


def told(report: EnvironmentReport) -> set[tuple[str, Severity, str | None]]:
    assert report.not_seen == ()
    return {(one.rule, one.severity, one.path) for one in report.findings}


def test_nothing_is_found_before_a_change(mutable: Mutable) -> None:
    mutable.renew()
    found = [one for one in mutable.scan().findings if one.severity > Severity.INFO]
    assert [(one.rule, one.path) for one in found] == [("installer-config", str(mutable.path("pip.conf")))]


KINDS = ("edit", "swap", "delete", "link", "chmod", "blank", "weaken", "double", "unlist", "second")


@pytest.mark.parametrize("pattern", CLASSES)
def test_each_change_of_each_kind_of_file_is_found(mutable: Mutable, tmp_path: Path, pattern: str) -> None:
    assert sorted(CLASSES[pattern]) == sorted(KINDS)
    print(f"\n{pattern}")
    for how in KINDS:
        cell = CLASSES[pattern][how]
        if isinstance(cell, str):
            print(f"    {how:<8} -: {cell}")
            continue
        mutable.renew()
        path = mutable.path(pattern)
        mutable.apply(how, path, tmp_path / how)
        found = told(mutable.scan())
        print(f"    {how:<8} {cell.rule} {cell.severity.label}")
        place = path if cell.path is None else mutable.path(cell.path)
        assert (cell.rule, cell.severity, str(place)) in found, (how, found)


ADDED = [
    *(
        (SITE + name, b"x = 1\n", UNOWNED)
        for name in ("helper.py", "demo/helper.py", "demo2.pkg", "demo/sub/cacert.pem")
    ),
    (SITE + "demo/notes.txt", b"x\n", Found("file-unowned", LOW)),
    *((SITE + name, ELF, UNOWNED) for name in ("demo/notes.txt", "demo.libs/libother", "seed.virtualenv", "more.egg")),
    *((SITE + name, b"x = 1\n", Found("phantom-module")) for name in ("_manylinux.py", "msvcrt.py")),
    (SITE + "evil.pth", b"import os\n", STARTS),
    (SITE + "sitecustomize.py", b"import os\n", STARTS),
    (SITE + "evil.start", b"os:getcwd\n", Found("startup-dormant", MEDIUM)),
    (SITE + "demo/__pycache__/gone.{tag}.pyc", bytes(16), Found("bytecode-orphan", MEDIUM)),
    (SITE + "demo/__pycache__/helper.py", b"x = 1\n", UNOWNED),
    (SITE + "demo/helper.pyc", bytes(16), UNOWNED),
    (SITE + "setuptools/_distutils/distutils.cfg", b"[install]\n", UNOWNED),
    (SITE + "demo-1.0.dist-info/uv_build.json", ELF, UNOWNED),
    *((f"etc/{name}", b"x\n", UNOWNED) for name in ("ipython/startup/00.py", "conda/activate.d/evil.sh")),
    ("etc/jupyter/jupyter_config.json", b"{}", Found("file-unowned", MEDIUM)),
    ("share/jupyter/kernels/evil/kernel.json", b"{}", Found("file-unowned", MEDIUM)),
    ("share/bash-completion/completions/git", b"true\n", UNOWNED),
    ("bin/helper.py", b"x = 1\n", NOBODYS),
    ("bin/helper", ELF, NOBODYS),
    *((f"bin/{name}", ELF, Found("script-shadows-command")) for name in ("git", "ls", "rustc")),
    ("bin/python2", ELF, Found("venv-interpreter-replaced")),
    ("bin/pyvenv.cfg", b"home = /nowhere\n", Found("interpreter-redirected")),
    ("pip.ini", b"[global]\nindex-url = https://index.example/\n", Found("installer-config", MEDIUM)),
    ("uv.toml", b"index-url = 'https://index.example'\n", Found("installer-config", MEDIUM)),
]


@pytest.mark.parametrize(("pattern", "data", "cell"), ADDED, ids=[case[0] for case in ADDED])
def test_each_added_file_is_found(mutable: Mutable, pattern: str, data: bytes, cell: Found) -> None:
    mutable.renew()
    path = mutable.path(pattern)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o755 if data == ELF else 0o644)
    print(f"    add      {pattern:<45} {cell.rule} {cell.severity.label}")
    assert (cell.rule, cell.severity, str(path)) in told(mutable.scan())


@pytest.mark.parametrize("pattern", ["", "bin", SITE, SITE + "demo", SITE + "demo/__pycache__", "etc/ipython"])
def test_a_directory_that_others_may_write_to_is_found(mutable: Mutable, pattern: str) -> None:
    mutable.renew()
    path = mutable.path(pattern)
    path.chmod(0o777)
    assert (*WRITABLE[:2], str(path)) in told(mutable.scan())


@pytest.mark.parametrize("pattern", ["etc", "etc/ipython", "share/jupyter/kernels/demo", "share/bash-completion"])
def test_a_directory_that_tools_look_into_is_found_behind_a_link(
    mutable: Mutable, tmp_path: Path, pattern: str
) -> None:
    mutable.renew()
    path = mutable.path(pattern)
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert (*UNOWNED[:2], str(path)) in told(mutable.scan())


def test_a_link_to_a_file_that_others_may_replace_is_found(mutable: Mutable, tmp_path: Path) -> None:
    mutable.renew()
    path = mutable.path(SITE + "demo/plain.py")
    (tmp_path / "open").mkdir()
    path.rename(tmp_path / "open" / "plain.py")
    path.symlink_to(tmp_path / "open" / "plain.py")
    assert WRITABLE[:2] not in {one[:2] for one in told(mutable.scan())}
    (tmp_path / "open").chmod(0o777)
    assert (*WRITABLE[:2], str(path)) in told(mutable.scan())


@pytest.mark.parametrize("pattern", ["bin/demo-native", SITE + "demo/_native.so"])
def test_a_program_with_rights_of_its_own_is_found(mutable: Mutable, pattern: str) -> None:
    mutable.renew()
    path = mutable.path(pattern)
    path.chmod(0o4755)
    assert (*WRITABLE[:2], str(path)) in told(mutable.scan())


def test_an_editables_claim_on_a_directory_that_tools_look_into_hides_nothing_there(mutable: Mutable) -> None:
    mutable.renew()
    planted = mutable.path("etc/ipython/startup/evil.py")
    planted.write_text("x = 1\n")
    mutable.claim(mutable.path("pip.conf"), b"")
    url = f'{{"url": "file://{mutable.venv.path}/etc", "dir_info": {{"editable": true}}}}'
    (mutable.venv.site / "other-1.0.dist-info" / "direct_url.json").write_text(url)
    assert (*UNOWNED[:2], str(planted)) in told(mutable.scan())


def test_a_module_that_no_package_has_a_reason_to_ship_is_told_whoever_lists_it(mutable: Mutable) -> None:
    mutable.renew()
    path = mutable.path(SITE + "_manylinux.py")
    path.write_text("manylinux2014_compatible = False\n")
    mutable.claim(path, path.read_bytes())
    assert ("phantom-module", MEDIUM, str(path)) in told(mutable.scan())


@pytest.mark.parametrize("startup_only", [False, True])
def test_a_path_line_to_a_directory_that_others_may_make(mutable: Mutable, tmp_path: Path, startup_only: bool) -> None:
    mutable.renew()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    path = mutable.venv.site / "shared.pth"
    path.write_text(f"# nothing\n{tmp_path}/open/shared\n{tmp_path}/closed/shared\n")
    report = mutable.scan(startup_only)
    found: list[Finding] = [one for one in report.findings if one.rule == "startup-path-writable"]
    assert [(one.path, one.line, one.severity) for one in found] == [(str(path), 2, HIGH)]


def test_a_base_interpreter_with_rights_of_its_own(mutable: Mutable, tmp_path: Path) -> None:
    mutable.renew()
    base = tmp_path / "base" / "bin"
    base.mkdir(parents=True)
    copy = str(shutil.copy2(mutable.venv.interpreter.path, base / mutable.venv.interpreter.name))
    Path(copy).chmod(0o4755)
    (mutable.venv.bin / "python").unlink()
    (mutable.venv.bin / "python").symlink_to(copy)
    assert (*WRITABLE[:2], copy) in told(mutable.scan())
