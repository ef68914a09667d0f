from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from environments.places import Place
from support.pythons import Interpreter, each_layout
from support.venvs import make_venv


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "interpreter" in metafunc.fixturenames:
        metafunc.parametrize("interpreter", each_layout())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    place.mkdir()
    return place


@pytest.fixture(scope="session")
def new_venv(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``new_venv(interpreter, place, *options)``: a fresh copy of a venv that is made once a session."""
    made: dict[tuple[object, ...], Path] = {}

    def new(interpreter: Interpreter, place: Path, *options: str) -> Path:
        key = (interpreter, *options)
        if key not in made:
            template = tmp_path_factory.mktemp("template") / "venv"
            made[key] = make_venv(template, interpreter, "--without-pip", *options).path
        shutil.copytree(made[key], place, symlinks=True)
        return place

    return new


@pytest.fixture
def place(interpreter: Interpreter, tmp_path: Path) -> Place:
    return Place(interpreter, tmp_path / "base")


@pytest.fixture
def venv(interpreter: Interpreter, tmp_path: Path, new_venv: Callable[..., Path]) -> Path:
    return new_venv(interpreter, tmp_path / "venv")


@pytest.fixture
def shared_venv(interpreter: Interpreter, tmp_path: Path, new_venv: Callable[..., Path]) -> Path:
    return new_venv(interpreter, tmp_path / "venv", "--system-site-packages")


@pytest.fixture
def copied_venv(interpreter: Interpreter, tmp_path: Path, new_venv: Callable[..., Path]) -> Path:
    return new_venv(interpreter, tmp_path / "venv", "--copies")


@pytest.fixture(params=["links", "copies"])
def any_venv(
    request: pytest.FixtureRequest, interpreter: Interpreter, tmp_path: Path, new_venv: Callable[..., Path]
) -> Path:
    """A venv whose interpreter is a link, and one whose interpreter is a copy."""
    return new_venv(interpreter, tmp_path / "venv", *(["--copies"] if request.param == "copies" else []))
