"""Wheels that are looked for, a server that has them, and a home directory of a user who looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.looking import User
from support.servers import Authority, Server, make_authority
from support.wheels import Wheel, build_wheel


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Wheel]:
    """Four wheels; one has a local version, one a name that indexes spell another way."""
    directory = tmp_path_factory.mktemp("archives")
    return [
        build_wheel(directory, "colours", "1.0", {"colours.py": "RED = 1\n" * 500}),
        build_wheel(directory, "shapes", "2.0+local", {"shapes.py": "CORNERS = 4\n"}),
        build_wheel(directory, "sounds-more", "0.3", {"sounds_more.py": "LOUD = True\n"}),
        build_wheel(directory, "large", "1.0", {"large.bin": bytes(range(256)) * 1024}),
    ]


@pytest.fixture(scope="session")
def colours(archives: list[Wheel]) -> Wheel:
    return archives[0]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(authority: Authority) -> Iterator[Server]:
    """A server that is asked by https."""
    with Server(authority.context) as running:
        yield running


@pytest.fixture
def user(tmp_path: Path) -> User:
    home = tmp_path / "home"
    home.mkdir()
    return User(home)
