"""pyenv's shims are resolved by reading what pyenv reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.environments.discover import default_target, find_environment
from envcheck.files.root import Files
from envcheck.model.errors import TargetError
from envcheck.model.invocation import Invocation
from environments.trees import library, write

SHIM = """#!/usr/bin/env bash
set -e
[ -n "$PYENV_DEBUG" ] && set -x

program="${{0##*/}}"

export PYENV_ROOT="{root}"
exec "{root}/libexec/pyenv" exec "$program" "$@"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "pyenv"
    write(root / "shims/python3", SHIM.format(root=root)).chmod(0o755)
    for version in ("3.9.18", "3.11.2", "3.11.10"):
        minor = version.rpartition(".")[0]
        library(root / "versions" / version, minor, version)
        for name in ("python3", f"python{minor}"):
            write(root / "versions" / version / "bin" / name, b"\x7fELF" + bytes(60)).chmod(0o755)
    write(root / "version", "3.9.18\n")
    return root


def selected(root: Path, directory: Path, **environ: str) -> str:
    invocation = Invocation((), environ, directory=str(directory))
    by_name = find_environment(Files(), str(root / "shims/python3"), invocation).python.executable
    by_path = default_target(Files(), str(directory), {"PATH": str(root / "shims"), **environ})
    assert by_name == by_path
    return by_path.removeprefix(f"{root}/versions/")


def test_the_global_version_is_last(root: Path, tmp_path: Path) -> None:
    assert selected(root, tmp_path) == "3.9.18/bin/python3"


def test_a_python_version_file_above_counts(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "project/.python-version", "# the newest\n3.11.2\n")
    place = tmp_path / "project/src"
    place.mkdir()
    assert selected(root, place) == "3.11.2/bin/python3"


def test_the_variable_is_first_and_may_name_several(root: Path, tmp_path: Path) -> None:
    write(tmp_path / ".python-version", "3.11.2\n")
    assert selected(root, tmp_path, PYENV_VERSION="3.8.1:3.11.10:3.9.18") == "3.11.10/bin/python3"


def test_a_short_version_means_the_newest_that_is_installed(root: Path, tmp_path: Path) -> None:
    assert selected(root, tmp_path, PYENV_VERSION="3.11") == "3.11.10/bin/python3"
    assert selected(root, tmp_path, PYENV_VERSION="python-3.11.2") == "3.11.2/bin/python3"


def test_system_means_the_next_on_path(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "usr/bin/python3", b"\x7fELF").chmod(0o755)
    environ = {"PATH": f"{root}/shims:{tmp_path}/usr/bin", "PYENV_VERSION": "system"}
    assert default_target(Files(), str(tmp_path), environ) == f"{tmp_path}/usr/bin/python3"


@pytest.mark.parametrize("name", ["../../evil", "..", "3.7.1", "/evil"])
def test_a_version_that_is_not_installed_is_an_error(root: Path, tmp_path: Path, name: str) -> None:
    write(tmp_path / "evil/bin/python3").chmod(0o755)
    with pytest.raises(TargetError, match="not installed"):
        selected(root, tmp_path, PYENV_VERSION=name)


def test_a_version_file_cannot_lead_out_of_the_versions(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "evil/bin/python3").chmod(0o755)
    write(tmp_path / ".python-version", "../../evil\n3.11.2\n")
    assert selected(root, tmp_path) == "3.11.2/bin/python3"


def test_another_script_is_refused_by_name(tmp_path: Path) -> None:
    script = write(tmp_path / "python3", "#!/bin/sh\nexec asdf exec python3\n")
    with pytest.raises(TargetError, match="a script"):
        find_environment(Files(), str(script), Invocation(directory="/"))
