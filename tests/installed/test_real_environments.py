"""What pip and uv really install gives no deviation; what an attacker then does to it gives the right one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envcheck.environments.discover import find_environment
from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.inventory import Inventory
from envcheck.model.invocation import Invocation
from support.pythons import Interpreter
from support.venvs import Venv, find_tool, make_venv, make_with_uv, pip_install, run, uv_install
from support.wheels import Wheel


def inventory(path: Path) -> Inventory:
    files = Files()
    found = Installed(files, find_environment(files, str(path), Invocation())).inventory()
    assert files.not_seen == ()
    return found


def problems(path: Path) -> set[tuple[str, str]]:
    return {(found.problem, found.path.rpartition("/")[2]) for found in inventory(path).deviations}


def test_a_pip_venv_is_clean(tmp_path: Path, interpreter: Interpreter, colours: Wheel, shapes: Wheel) -> None:
    venv = make_venv(tmp_path / "env", interpreter)
    pip_install(venv, [colours, shapes])
    found = inventory(venv.path)
    assert found.deviations == ()
    assert {(d.name, d.installer, d.assurance) for d in found.distributions} == {
        ("colours", "pip", "recorded"),
        ("shapes", "pip", "recorded"),
    }


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink", "relocatable"])
def test_a_uv_venv_is_clean(
    tmp_path: Path, interpreter: Interpreter, uv: str, mode: str, colours: Wheel, shapes: Wheel
) -> None:
    options = ("--relocatable",) if mode == "relocatable" else ()
    venv = make_with_uv(tmp_path / "env", interpreter, *options)
    uv_install(venv, [colours, shapes], "--link-mode", "copy" if mode == "relocatable" else mode)
    found = inventory(venv.path)
    assert {deviation.problem for deviation in found.deviations} <= {"link-outside"}
    assert bool(found.deviations) is (mode == "symlink")
    assert all(distribution.assurance == "recorded" for distribution in found.distributions)


def test_a_venv_with_seeded_pip_and_setuptools_is_clean(seeded: Venv) -> None:
    found = inventory(seeded.path)
    assert found.deviations == ()
    assert {"pip", "setuptools"} <= {distribution.key for distribution in found.distributions}


def test_a_venv_without_its_pycache_and_one_after_importing_are_clean(venv: Venv) -> None:
    venv.start("import colours, colours.mix, shapes")
    assert problems(venv.path) == set()
    for cache in list(venv.path.rglob("__pycache__")):
        shutil.rmtree(cache)
    assert problems(venv.path) == set()


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_a_target_directory_is_clean(
    tmp_path: Path, interpreter: Interpreter, colours: Wheel, shapes: Wheel, tool: str
) -> None:
    target = tmp_path / "target"
    if tool == "uv":
        if find_tool("uv") is None:
            pytest.skip("uv is not here")
        command = [find_tool("uv") or "", "pip", "install", "-q", "--python", interpreter.path]
        cache = ["--cache-dir", str(tmp_path / "cache")]
    else:
        import sys

        command, cache = [sys.executable, "-I", "-m", "pip", "install", "-q"], []
    run([*command, *cache, "--no-index", "--no-deps", "--target", str(target), str(colours.path), str(shapes.path)])
    assert (target / "bin" / "colours").exists()
    found = inventory(target)
    assert found.deviations == ()
    assert all(distribution.assurance == "recorded" for distribution in found.distributions)


def test_attacks_on_an_installed_package_are_each_told(venv: Venv) -> None:
    (venv.site / "colours" / "mix.py").write_text("import evil\n")
    (venv.site / "colours" / "new.py").write_text("import evil\n")
    (venv.site / "colours" / "data.txt").unlink()
    (venv.site / "sitecustomize.py").write_text("import evil\n")
    (venv.bin / "colours").write_text((venv.bin / "colours").read_text() + "import evil\n")
    (venv.bin / "git").write_text("#!/bin/sh\n")
    assert problems(venv.path) == {
        ("modified", "mix.py"),
        ("unowned-code", "new.py"),
        ("missing", "data.txt"),
        ("unowned-code", "sitecustomize.py"),
        ("script-modified", "colours"),
        ("script-shadows", "git"),
    }
    (broken,) = [d for d in inventory(venv.path).distributions if d.assurance == "modified"]
    assert (broken.name, broken.modified, broken.missing) == ("colours", 2, 1)
