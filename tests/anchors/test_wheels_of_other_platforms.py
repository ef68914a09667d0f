"""A lock of bare hashes means a wheel for each platform: one that is for another proves nothing, and accuses nobody."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.pythons import Interpreter
from support.scanning import Scan, environ, scan
from support.servers import Server
from support.venvs import Venv, install, make_venv
from support.wheels import Wheel, build_wheel


class Several(NamedTuple):
    """Two wheels of one version, the lock that has both hashes, and an environment with the one that fits."""

    here: Wheel
    there: Wheel
    lock: Path
    venv: Venv
    home: Path

    def keep(self, *wheels: Wheel) -> None:
        """Have envcheck's cache hold these, as a fetch for another environment leaves them."""
        store = self.home / ".cache" / "envcheck" / "wheels"
        for directory in (store.parent.parent, store.parent, store):
            directory.mkdir(0o700, exist_ok=True)
        for wheel in wheels:
            shutil.copy(wheel.path, store / f"sha256-{wheel.sha256}.whl")

    def scan(self, *options: str | Path) -> Scan:
        return scan("--lock", self.lock, *options, self.venv.path, env=environ(self.home))


@pytest.fixture
def several(tmp_path: Path, interpreter: Interpreter) -> Several:
    built = [
        build_wheel(tmp_path / "built", "many", "1.0", {f"many{n}.py": f"{tag!r}\n" for n in range(4)}, tag=tag)
        for tag in ("py3-none-any", "cp310-cp310-win_amd64")
    ]
    lock = tmp_path / "requirements.txt"
    lock.write_text("many==1.0" + "".join(f" --hash=sha256:{wheel.sha256}" for wheel in built) + "\n")
    venv = make_venv(tmp_path / "venv", interpreter)
    install(venv, built[:1])
    (tmp_path / "home").mkdir()
    return Several(*built, lock, venv, tmp_path / "home")


@pytest.fixture
def server(several: Several) -> Iterator[Server]:
    with Server() as running:
        running.serve([several.here, several.there])
        yield running


def test_the_wheel_of_another_platform_accuses_nobody(several: Several) -> None:
    several.keep(several.there)
    found = several.scan()
    assert found.at_least("low") == [], found.told()
    unanchored = found.environment["lock"]["anchored"]["unanchored"]
    assert unanchored == [{"name": "many", "version": "1.0", "reason": "no-wheel"}]


def test_of_several_in_a_cache_the_one_that_fits_proves(several: Several) -> None:
    several.keep(several.there, several.here)
    found = several.scan()
    assert [one["assurance"] for one in found.environment["distributions"]] == ["anchored"], found.told()


def test_the_one_that_fits_is_fetched_though_another_is_at_hand(several: Several, server: Server) -> None:
    several.keep(several.there)
    found = several.scan("--fetch", "--index-url", server.index)
    assert [one["assurance"] for one in found.environment["distributions"]] == ["anchored"], found.told()
    assert server.targets() == ["/simple/many/", f"/files/{several.here.path.name}"]


def test_the_wheel_that_fits_accuses_whatever_else_is_at_hand(several: Several) -> None:
    several.keep(several.there, several.here)
    (several.venv.site / "many1.py").write_text("other = 1\n")
    found = several.scan()
    assert any(rule == "file-modified" for rule in found.rules("high")), found.told()


def test_what_says_that_it_is_the_wheel_of_another_platform_is_held_against_that(several: Several) -> None:
    several.keep(several.there)
    info = several.venv.dist_info("many")
    text = (info / "WHEEL").read_text()
    (info / "WHEEL").write_text(text.replace("py3-none-any", "cp310-cp310-win_amd64"))
    found = several.scan()
    assert "record-forged" in found.rules("critical") or "file-modified" in found.rules("high"), found.told()
