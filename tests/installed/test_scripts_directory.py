"""The scripts directory: interpreters, scaffolding, data scripts, and scripts derived from entry points."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from installed.trees import PIP_SCRIPT, Tree, row
from support.pythons import Interpreter, every_version
from support.venvs import make_venv


def test_a_script_as_pip_writes_it_for_its_entry_point_is_proven(tree: Tree) -> None:
    tree.install_script("demo", "demo.cli:main")
    found = tree.inventory()
    assert found.deviations == ()
    assert found.counts.verified == 4


def test_a_script_without_a_row_is_proven_by_its_entry_point(tree: Tree) -> None:
    tree.install_script("demo", "demo.cli:main", row=False)
    assert tree.problems() == set()


def test_a_changed_script_is_modified(tree: Tree) -> None:
    script = tree.install_script("demo", "demo.cli:main")
    script.write_text(script.read_text().replace("import sys\n", "import sys, evil\n"))
    found = tree.only()
    assert (found.problem, tree.relative(found.path)) == ("script-modified", "../../../bin/demo")
    assert found.detail == "it is not what an installer writes for demo.cli:main"


def test_a_rewritten_record_does_not_cover_a_changed_script(tree: Tree) -> None:
    text = PIP_SCRIPT.format(python=tree.bin / "python", module="demo.cli", attr="main") + "import evil\n"
    tree.install_script("demo", "demo.cli:main", text)
    found = tree.only()
    assert (found.problem, found.actual) == ("script-modified", hashlib.sha256(text.encode()).hexdigest())


def test_a_script_that_calls_something_else_is_modified(tree: Tree) -> None:
    text = PIP_SCRIPT.format(python=tree.bin / "python", module="evil", attr="main")
    tree.install_script("demo", "demo.cli:main", text)
    assert tree.only().detail == "it calls evil:main, not demo.cli:main"


def test_a_script_for_another_interpreter_is_modified(tree: Tree) -> None:
    text = PIP_SCRIPT.format(python="/tmp/python", module="demo.cli", attr="main")
    tree.install_script("demo", "demo.cli:main", text)
    found = tree.only()
    assert found.problem == "script-modified"
    assert found.detail == "it starts /tmp/python, which is not this environment's interpreter"


def test_an_environment_reached_through_a_link_is_still_its_own(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(tree.prefix)
    text = PIP_SCRIPT.format(python=tmp_path / "alias" / "bin" / "python3", module="demo.cli", attr="main")
    tree.install_script("demo", "demo.cli:main", text)
    assert tree.problems() == set()


def test_an_exact_script_with_another_hash_in_record_is_a_conflict_only(tree: Tree) -> None:
    script = tree.install_script("demo", "demo.cli:main")
    script.write_text(PIP_SCRIPT.format(python=tree.bin / "python3", module="demo.cli", attr="main"))
    assert tree.problems() == {("record-conflict", "../../../bin/demo")}


def test_a_deleted_script_is_missing(tree: Tree) -> None:
    tree.install_script("demo", "demo.cli:main").unlink()
    assert tree.problems() == {("missing", "../../../bin/demo")}


def test_a_data_script_is_verified_by_its_hash(tree: Tree) -> None:
    text = "#!/bin/sh\necho demo\n"
    (tree.bin / "demo-tool").write_text(text)
    tree.install("demo", rows=(row("../../../bin/demo-tool", text),))
    assert tree.problems() == set()
    (tree.bin / "demo-tool").write_text(text + "evil\n")
    assert tree.problems() == {("script-modified", "../../../bin/demo-tool")}


def test_a_data_script_without_a_hash_is_nobodys(tree: Tree) -> None:
    (tree.bin / "demo-tool").write_text("#!/bin/sh\n")
    tree.install("demo", rows=("../../../bin/demo-tool,,",))
    assert tree.problems() == {("script-unowned", "../../../bin/demo-tool")}


@pytest.mark.parametrize(
    ("name", "content", "mode", "problem"),
    [
        ("git", "#!/bin/sh\n", 0o755, "script-shadows"),
        ("rustc", "#!/bin/sh\n", 0o755, "script-shadows"),
        ("own-tool", "#!/bin/sh\n", 0o755, "script-unowned"),
        ("helper.py", "x = 1\n", 0o644, "script-unowned"),
        ("tool", "\x7fELF", 0o644, "script-unowned"),
        ("README", "text\n", 0o644, "unowned-data"),
        ("README", "text\n", 0o755, "script-unowned"),
    ],
)
def test_what_nobody_declares_is_told(tree: Tree, name: str, content: str, mode: int, problem: str) -> None:
    (tree.bin / name).write_text(content)
    (tree.bin / name).chmod(mode)
    assert tree.problems() == {(problem, f"../../../bin/{name}")}


def test_scaffolding_is_nothing(tree: Tree) -> None:
    for name in (".lock", ".gitignore", "CACHEDIR.TAG", ".project"):
        (tree.prefix / name).touch()
    assert tree.problems() == set()


def test_pips_versioned_names_stand_for_the_declared_one(tree: Tree) -> None:
    info = "[console_scripts]\npip = pip._internal.cli.main:main\npip3 = pip._internal.cli.main:main\n"
    text = PIP_SCRIPT.format(python=tree.bin / "python", module="pip._internal.cli.main", attr="main")
    names = ("pip", "pip3", "pip3.11")
    for name in names:
        (tree.bin / name).write_text(text)
    tree.install("pip", entry_points=info, rows=tuple(row(f"../../../bin/{name}", text) for name in names))
    assert tree.problems() == set()


def test_bytecode_of_scripts_is_theirs_and_other_directories_are_nobodys(tree: Tree) -> None:
    (tree.bin / "tool.py").write_text("x = 1\n")
    tree.install(
        "demo", rows=(row("../../../bin/tool.py", "x = 1\n"), "../../../bin/__pycache__/tool.cpython-311.pyc,,")
    )
    tree.write("../../../bin/__pycache__/tool.cpython-311.pyc", b"")
    assert tree.problems() == set()
    tree.write("../../../bin/pkg/__init__.py", "x = 1\n")
    assert tree.problems() == {("unowned-code", "../../../bin/pkg/__init__.py")}


def test_a_link_in_the_scripts_directory_is_nobodys(tree: Tree) -> None:
    (tree.bin / "ls").symlink_to("/bin/ls")
    found = tree.only()
    assert found.problem == "script-shadows"
    assert (found.detail or "").startswith("a link to /bin/ls; it takes the place of /")


def test_outside_a_venv_only_claimed_scripts_are_looked_at(tree: Tree) -> None:
    script = tree.install_script("demo", "demo.cli:main")
    (tree.bin / "ldd").write_text("#!/bin/sh\n")
    assert tree.problems(tree.inventory("base", "base")) == set()
    script.write_text("changed")
    assert tree.problems(tree.inventory("base", "base")) == {("script-modified", "../../../bin/demo")}


@pytest.mark.parametrize("text", ["", "\0\0", "#!" + "x" * 100_000, "[console_scripts]\n" * 10])
def test_hostile_entry_points_and_scripts_are_no_error(tree: Tree, text: str) -> None:
    (tree.bin / "demo").write_text(text)
    tree.install("demo", entry_points=text + "[console_scripts]\ndemo = a:b\n = \n:::\ndemo = [x\n")
    assert tree.inventory().distributions


@pytest.mark.parametrize("name", ["re.py", "re.pyc", "re.cpython-311-x86_64-linux-gnu.so", "re.abi3.so"])
def test_a_module_beside_console_scripts_says_which_of_them_imports_it(tree: Tree, name: str) -> None:
    tree.install_script("demo", "demo.cli:main")
    (tree.bin / name).write_text("x = 1\n")
    found = tree.only()
    assert found.problem == "script-unowned"
    assert found.detail == "demo would import re from here, in place of the module that is meant"


def test_a_package_beside_console_scripts_takes_the_place_of_what_they_call(tree: Tree) -> None:
    tree.install_script("demo", "demo.cli:main")
    (tree.bin / "demo.d").mkdir()
    package = tree.bin / "re"
    package.mkdir()
    (package / "__init__.py").write_text("")
    found = tree.only()
    assert (found.problem, found.path) == ("unowned-code", str(package / "__init__.py"))
    assert found.detail is not None
    assert found.detail.startswith("demo would import re from here")


def test_a_module_that_no_script_imports_itself_and_what_is_no_module_are_told_apart(tree: Tree) -> None:
    tree.install_script("demo", "demo.cli:main")
    (tree.bin / "tomllib.py").write_text("")
    assert (tree.only().detail or "").startswith("the first place where every console script looks for")
    (tree.bin / "tomllib.py").rename(tree.bin / "os.py")
    assert tree.only().detail is None


@pytest.mark.parametrize("interpreter", every_version())
def test_the_real_interpreter_takes_a_module_from_beside_the_script(interpreter: Interpreter, tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "venv", interpreter)
    script = venv.bin / "demo"
    script.write_text(f"#!{venv.python}\nimport textwrap\nprint(textwrap.__file__)\nimport os, sys\n")
    for name in ("textwrap.py", "os.py"):
        (venv.bin / name).write_text("print('planted')\n")

    def ran(*flags: str) -> list[str]:
        command = [str(venv.python), "-B", *flags, str(script)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.split()

    assert ran() == ["planted", str(venv.bin / "textwrap.py")]
    assert "planted" not in ran("-I")


LARGE = "\x7fELF" + "\0" * (17 << 20)


def test_a_large_program_of_a_wheel_is_verified_by_its_hash(tree: Tree) -> None:
    (tree.bin / "demo-tool").write_text(LARGE)
    tree.install("demo", rows=(row("../../../bin/demo-tool", LARGE),))
    assert tree.problems() == set()
    (tree.bin / "demo-tool").write_text(LARGE + "\0")
    assert tree.problems() == {("script-modified", "../../../bin/demo-tool")}


@pytest.mark.parametrize("text", [LARGE, "\x7fELF" + "\0" * (2 << 20), "#!/bin/sh\n" + "#" * (17 << 20)])
def test_a_rewritten_record_does_not_cover_a_large_program_in_place_of_a_script(tree: Tree, text: str) -> None:
    tree.install_script("demo", "demo.cli:main", text)
    found = tree.only()
    assert (found.problem, found.detail) == ("script-modified", "it is not what an installer writes for demo.cli:main")
