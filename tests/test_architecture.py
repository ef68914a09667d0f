"""What the layers of import-linter cannot say: who may touch files, who may run anything, what a light scan imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

import envcheck

PACKAGE = Path(envcheck.__file__).parent

BUILTINS = {"open", "exec", "eval", "compile", "__import__", "input", "breakpoint"}
FILE_ACCESS = {
    *("open", "io.open", "io.FileIO", "tokenize.open", "os.open", "os.fdopen"),
    *("os.stat", "os.lstat", "os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.readlink", "os.access"),
    *("os.path.exists", "os.path.lexists", "os.path.isfile", "os.path.isdir", "os.path.islink", "os.path.ismount"),
    *("os.path.realpath", "os.path.samefile", "os.path.getsize", "os.path.getmtime", "os.path.getctime"),
    *("os.mkdir", "os.makedirs", "os.remove", "os.unlink", "os.rename", "os.replace", "os.rmdir", "os.symlink"),
    *("os.link", "os.chmod", "os.chown", "os.utime", "os.truncate", "os.mkfifo"),
    *("pathlib", "glob", "shutil", "tempfile", "mmap", "linecache", "fileinput", "filecmp", "sqlite3"),
}
EXECUTION = {
    *("exec", "eval", "compile", "__import__", "input", "breakpoint"),
    *("subprocess", "multiprocessing", "runpy", "code", "codeop", "pdb", "pty", "ctypes"),
    *("marshal", "pickle", "shelve", "copyreg", "importlib", "imp", "zipimport", "pkgutil", "site", "sysconfig"),
    *("os.system", "os.popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "os.startfile"),
    *(f"os.exec{form}" for form in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
    *(f"os.spawn{form}" for form in ("v", "ve", "vp", "vpe", "l", "le", "lp", "lpe")),
}
NETWORK = {"socket", "ssl", "http.client", "http.server", "urllib.request", "ftplib", "asyncio", "xmlrpc", "smtplib"}
CONNECTING = {"anchors/sources/connection.py": {"socket", "ssl", "http.client"}}
"""The module that a fetch goes through, and what of the network it uses."""
ALLOWED = {
    # The process that hands over to a clean one, and the finder of that one's own packages.
    "cli/launch.py": {"importlib", "subprocess", "os.execve", "os.path.isdir", "os.path.isfile"},
    # A report that was asked for by -o, and whether it would land in the target.
    "cli/show.py": {"open"},
    # Copies of this process that hash; they execute no program.
    "files/workers.py": {"os.fork"},
    # Starts a trusted interpreter, no part of any target, by its absolute path, to compile sources; or has a copy of
    # this process execute the same program, which is a constant there.
    "installed/recompile.py": {"os.posix_spawn", "os.fork", "exec"},
    # Parses, with PyCF_ONLY_AST; never makes code.
    "formats/syntax.py": {"compile"},
    # The cache of archives that were fetched: the only directory of its own that envcheck writes to, by descriptor.
    "anchors/sources/store.py": {
        *("os.open", "os.fdopen", "os.mkdir", "os.makedirs", "os.replace", "os.unlink", "os.scandir"),
        *("os.stat", "os.lstat", "os.path.realpath"),
    },
    # Whether this process lies in a target.
    "environments/own.py": {"os.path.realpath"},
}

LIGHT_PACKAGES = {
    *("cli", "reports", "scanner", "policy", "checks", "startup", "installed", "environments", "catalogue", "formats"),
    *("files", "model"),
}
TOO_HEAVY = {
    *("rich", "pygments", "packaging", "platformdirs", "tomli", "tomllib", "markdown_it"),
    *("dataclasses", "inspect", "importlib.metadata", "email", "zipfile", "tempfile", "pathlib", "subprocess"),
    *("logging", "unittest", "urllib.request", "http", "socket", "ssl", "asyncio", "decimal", "sqlite3"),
    *("envcheck.reports.terminal", "envcheck.locks", "envcheck.anchors", "envcheck.behavior"),
}


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def names_used(source: str) -> Iterator[str]:
    """Every dotted name that a module refers to, its imports resolved: ``from os import open`` gives ``os.open``."""
    tree = ast.parse(source)
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
                imported[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and (dotted := dotted_name(node)):
            first, dot, rest = dotted.partition(".")
            if first in imported:
                yield imported[first] + dot + rest
            elif dotted in BUILTINS:
                yield dotted


def dotted_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (value := dotted_name(node.value)):
        return f"{value}.{node.attr}"
    return None


def of(names: set[str], used: str) -> Iterator[str]:
    """The forbidden names that a used name is, or is inside of."""
    parts = used.split(".")
    for length in range(1, len(parts) + 1):
        if (name := ".".join(parts[:length])) in names:
            yield name


@pytest.mark.parametrize("module", modules())
def test_no_module_opens_files_or_runs_anything_except_where_it_is_its_job(module: str) -> None:
    forbidden = EXECUTION if module.startswith("files/") else EXECUTION | FILE_ACCESS
    source = (PACKAGE / module).read_text(encoding="utf-8")
    found = {name for used in names_used(source) for name in of(forbidden, used)}
    assert found == ALLOWED.get(module, set())


@pytest.mark.parametrize("module", modules())
def test_no_module_reaches_a_network_except_the_one_that_fetches_go_through(module: str) -> None:
    source = (PACKAGE / module).read_text(encoding="utf-8")
    found = {name for used in names_used(source) for name in of(NETWORK, used)}
    assert found == CONNECTING.get(module, set())


def test_aliases_do_not_hide_a_forbidden_name() -> None:
    source = "import os as o, marshal\nfrom os import path as p, execve as e\no.open\np.exists('x')\ne()\nopen('x')\n"
    found = {name for used in names_used(source) for name in of(EXECUTION | FILE_ACCESS, used)}
    assert found == {"os.open", "marshal", "os.path.exists", "os.execve", "open"}


@pytest.fixture(scope="module")
def imports_of_a_startup_only_scan(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    target = tmp_path_factory.mktemp("light") / "venv"
    venv.create(target, symlinks=True)
    site = next(target.glob("lib/python3*/site-packages"))
    # A file of known content: unknown code is told by what it would do, which no clean environment pays for.
    (site / "_virtualenv.pth").write_text("import _virtualenv")
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-I", "-S", "-X", "importtime", str(PACKAGE / "__main__.py")]
    done = subprocess.run(
        [*command, "scan", "--startup-only", "--format", "json", str(target)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"envcheck/report/1"' in done.stdout, done.stderr[-2000:]
    return [match[1] for match in re.finditer(r"^import time:.*\| +(\S+)$", done.stderr, re.M)]


def test_a_startup_only_scan_imports_nothing_heavy(imports_of_a_startup_only_scan: list[str]) -> None:
    heavy = {name for imported in imports_of_a_startup_only_scan for name in of(TOO_HEAVY, imported)}
    assert not heavy


def test_a_startup_only_scan_imports_only_the_packages_that_it_needs(imports_of_a_startup_only_scan: list[str]) -> None:
    own = {name.split(".")[1] for name in imports_of_a_startup_only_scan if name.startswith("envcheck.")}
    assert own <= LIGHT_PACKAGES


def test_a_startup_only_scan_imports_only_the_standard_library(imports_of_a_startup_only_scan: list[str]) -> None:
    top = {name.partition(".")[0] for name in imports_of_a_startup_only_scan}
    # `_sha2` of 3.12 is looked for before `_sha256`.
    assert top - set(sys.stdlib_module_names) - {"_sha2"} == {"envcheck"}


def test_named_tuples_of_the_light_path_cost_no_import_of_typing(imports_of_a_startup_only_scan: list[str]) -> None:
    assert "typing" not in imports_of_a_startup_only_scan
