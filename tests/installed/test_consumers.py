"""Files that nobody owns, by who would execute or trust them."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.catalogue.consumers import PHANTOM_MODULES, prefix_consumer, shadowed_command, site_consumer
from installed.trees import Tree
from support.pythons import Interpreter
from support.venvs import make_venv

UNOWNED = [
    ("helper.py", b"x", "unowned-code"),
    ("deep/down/helper.so.1", b"x", "unowned-code"),
    ("data.bin", b"\x7fELF\x02\x01\x01", "unowned-code"),
    ("numpy.libs/libevil", b"\x7fELF\x02\x01\x01", "unowned-code"),
    ("numpy.libs/notes.txt", b"x", "unowned-data"),
    ("macho.dat", b"\xcf\xfa\xed\xfe\x07\0\0\x01", "unowned-code"),
    ("portable.txt", b"MZ\x90\0", "unowned-code"),
    ("evil.pth", b"/x\n", "unowned-code"),
    ("evil.start", b"os:getcwd\n", "unowned-code"),
    ("numpy.pkg", b"/x\n", "unowned-code"),
    ("deep/numpy.pkg", b"/x\n", "unowned-data"),
    ("modules.zip", b"PK", "unowned-code"),
    ("setuptools/_distutils/distutils.cfg", b"[build]\n", "unowned-code"),
    ("certifi/cacert.pem", b"x", "unowned-code"),
    ("pip/_vendor/certifi/cacert.pem", b"x", "unowned-code"),
    ("notes.txt", b"x", "unowned-data"),
    ("../../../etc/ipython/startup/00.py", b"x", "unowned-code"),
    ("../../../etc/ipython/ipython_config.json", b"x", "unowned-configuration"),
    ("../../../etc/jupyter/jupyter_server_config.py", b"x", "unowned-code"),
    ("../../../etc/jupyter/jupyter_server_config.d/x.json", b"x", "unowned-configuration"),
    ("../../../share/jupyter/kernels/evil/kernel.json", b"{}", "unowned-configuration"),
    ("../../../etc/conda/activate.d/evil.sh", b"x", "unowned-code"),
    ("../../../share/doc/notes.txt", b"x", "unowned-data"),
    ("../../../ssl/cacert.pem", b"x", "unowned-code"),
]


@pytest.mark.parametrize(("path", "data", "problem"), UNOWNED, ids=[row[0] for row in UNOWNED])
def test_an_unowned_file_is_told_by_what_it_can_do(tree: Tree, path: str, data: bytes, problem: str) -> None:
    tree.write(path, data)
    assert tree.problems() == {(problem, path)}


@pytest.mark.parametrize("path", [path for path, _, problem in UNOWNED if problem != "unowned-data"])
def test_the_same_file_is_verified_where_a_record_lists_it(tree: Tree, path: str) -> None:
    tree.install("demo", files={path: b"x"})
    assert tree.problems() == set()
    tree.write(path, b"changed")
    assert tree.problems() == {("modified", path)}


@pytest.mark.parametrize("name", sorted(PHANTOM_MODULES))
@pytest.mark.parametrize("form", ["{}.py", "{}/__init__.py", "{}.cpython-311-x86_64-linux-gnu.so"])
def test_a_phantom_module_is_told_with_who_imports_it(tree: Tree, name: str, form: str) -> None:
    path = form.format(name)
    tree.write(path)
    assert ("phantom-module", path) in tree.problems()


def test_entry_points_that_no_record_lists_are_told(tree: Tree) -> None:
    info = tree.install("demo")
    (info / "entry_points.txt").write_text("[pytest11]\nevil = evil\n")
    assert tree.problems() == {("unowned-code", "demo-1.0.dist-info/entry_points.txt")}


def test_the_project_of_an_editable_install_below_the_prefix_is_its_own(tree: Tree) -> None:
    project = tree.prefix / "src" / "demo"
    tree.write(str(project / "demo.py"))
    tree.install("demo", direct_url={"url": f"file://{project}", "dir_info": {"editable": True}})
    assert tree.problems() == set()


def test_what_tools_import_if_it_exists_is_really_asked_for(tmp_path: Path, interpreter: Interpreter) -> None:
    """The standard library's own phantoms, asked of the real interpreter."""
    venv = make_venv(tmp_path / "env", interpreter)
    asked = venv.start(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        print(name)\n"
        "sys.meta_path.append(Finder())\n"
        "import subprocess, mimetypes, copy, pickle, ntpath, platform, getpass\n"
        "platform.uname()\n"
    ).stdout.split()
    assert {"msvcrt", "winreg", "nt"} <= set(asked) & PHANTOM_MODULES.keys()
    missing = {name.partition(".")[0] for name in asked} - PHANTOM_MODULES.keys()
    assert missing <= {"_winapi", "sitecustomize", "usercustomize", "apport_python_hook"}, missing


def test_commands_are_shadowed_by_name() -> None:
    def has_ls(path: str) -> bool:
        return path == "/usr/bin/ls"

    assert shadowed_command("ls", has_ls) == "it takes the place of /usr/bin/ls"
    assert shadowed_command("rustc", has_ls) == "pip, setuptools or a build backend start rustc by name"
    assert shadowed_command("black", has_ls) is None


@pytest.mark.parametrize("path", ["", "x", "a/b", ".hidden", "x.", "dist-info/entry_points.txt", "cacert.pem.bak"])
def test_what_nobody_consumes_is_data(path: str) -> None:
    assert site_consumer(path) is None
    assert prefix_consumer(path) is None
