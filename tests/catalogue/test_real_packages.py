"""The tables against real packages: a folder of wheels, and editables that real build backends make.

Both need an index or what was fetched from one, so they run only where the variables below say so:
``ENVCHECK_WHEELHOUSE`` names a folder that ``tests/tools/make_catalogue.py --download`` filled, and
``ENVCHECK_REAL_BACKENDS=1`` lets uv fetch build backends from the index that it is configured for.
"""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from envcheck.catalogue.known import identify
from support.editables import BACKENDS, write_project
from support.pythons import Interpreter
from support.venvs import make_venv, need_tool

from .samples import namespace_lines, setuptools_finder

HOUSE = os.environ.get("ENVCHECK_WHEELHOUSE", "")
WHEELS = sorted(Path(HOUSE).glob("*.whl")) if HOUSE else []
SETUPTOOLS = [wheel for wheel in WHEELS if wheel.name.startswith("setuptools-")]

needs_wheels = pytest.mark.skipif(not WHEELS, reason="ENVCHECK_WHEELHOUSE names no folder of wheels")
needs_backends = pytest.mark.skipif(
    os.environ.get("ENVCHECK_REAL_BACKENDS") != "1", reason="ENVCHECK_REAL_BACKENDS is not 1"
)


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@needs_wheels
@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel.name[:40])
def test_every_startup_file_that_a_wheel_ships_is_known(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if member.endswith((".pth", ".start")) or member.startswith("_distutils_hack/"):
                name = member.rpartition("site-packages/")[2].rpartition(".data/purelib/")[2]
                data = archive.read(member)
                assert identify(name, data) is not None, (member, data)
                assert identify(name, data + b" ") is None


@needs_wheels
@pytest.mark.parametrize("wheel", SETUPTOOLS, ids=lambda wheel: wheel.name)
def test_what_each_setuptools_generates_is_known(wheel: Path) -> None:
    names = members(wheel)
    if "setuptools/namespaces.py" in names:
        known = identify("shop-1.0-nspkg.pth", namespace_lines(wheel, "shop", "shop.tills"))
        assert known is not None
        assert known.modules == ("shop", "shop.tills")
    if "setuptools/command/editable_wheel.py" in names:
        data = setuptools_finder(wheel, "__editable__.shop-1.0.finder", {"shop": "/src/shop"}, {"stores": []})
        known = identify("__editable___shop_1_0_finder.py", data)
        assert known is not None
        assert known.modules == ("shop", "stores")


@needs_backends
@pytest.mark.parametrize("backend", BACKENDS)
def test_files_of_a_real_editable_install_are_known(tmp_path: Path, interpreter: Interpreter, backend: str) -> None:
    project = write_project(tmp_path / "project", backend)
    venv = make_venv(tmp_path / "env", interpreter, "--without-pip")
    command = [need_tool("uv"), "pip", "install", "-q", "--no-deps", "--python", str(venv.python), "-e", str(project)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{backend} could not build: {done.stderr.strip().splitlines()[-1]}")
    found = [path for path in venv.site.iterdir() if path.suffix in (".pth", ".py", ".start")]
    assert any(path.suffix in (".pth", ".start") for path in found)
    for path in found:
        known = identify(path.name, path.read_bytes())
        assert known is not None, (path.name, path.read_text())
        assert known.project == "shop"
        assert identify(path.name, path.read_bytes() + b"\nimport evil\n") is None
