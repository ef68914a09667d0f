"""`envcheck anchor --fetch`: a line for every locked wheel, or for those that fit the environments that are named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.pythons import Interpreter
from support.scanning import Ran, envcheck, environ, scan
from support.servers import Server
from support.venvs import install, make_venv
from support.wheels import Wheel, build_wheel

TAGS = (
    *(f"cp3{n}-cp3{n}-manylinux_2_17_x86_64" for n in (11, 12)),
    *(f"cp3{n}-cp3{n}-macosx_11_0_arm64" for n in (11, 12)),
    *(f"cp3{n}-cp3{n}-win_amd64" for n in (11, 12)),
)
LINUX, MACOS = "3.12-linux-x86_64-glibc2.36", "3.12-macos-arm64"
SDIST = "5" * 64


class Project(NamedTuple):
    """A lock of a pure package, of one with a wheel for each platform, and of one for Windows alone."""

    path: Path
    server: Server
    wheels: list[Wheel]
    lock: Path

    @property
    def anchors(self) -> Path:
        return self.path / "envcheck.anchors"

    def anchor(self, *options: str | Path) -> Ran:
        where = ("--lock", self.lock, "--index-url", self.server.index)
        return envcheck("anchor", *where, *options, env=environ(self.path))

    def lines(self) -> list[str]:
        return [line.split()[0] for line in self.anchors.read_text().splitlines()[2:]]

    def fetched(self) -> list[str]:
        return sorted(target.rpartition("/")[2] for target in self.server.targets() if target.endswith(".whl"))


@pytest.fixture(params=["names", "hashes alone"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    built = tmp_path / "built"
    many = [build_wheel(built, "many", "1.0", {"many.py": f"{tag!r}\n"}, tag=tag) for tag in TAGS]
    pure = build_wheel(built, "pure", "1.0", {"pure.py": ""})
    windows = build_wheel(built, "windows", "1.0", {"w.py": ""}, tag="cp312-cp312-win_amd64")
    packages = {"many": many, "pure": [pure], "windows": [windows]}
    with Server() as server:
        server.serve([*many, pure, windows])
        if request.param == "names":
            lock = tmp_path / "pylock.toml"
            lock.write_text(_pylock(server, packages))
        else:
            lock = tmp_path / "requirements.txt"
            lock.write_text(_requirements(packages))
        yield Project(tmp_path, server, [*many, pure, windows], lock)


def _pylock(server: Server, packages: dict[str, list[Wheel]]) -> str:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n'
    for name, wheels in packages.items():
        text += f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
        text += "marker = \"sys_platform == 'win32'\"\n" if name == "windows" else ""
        for wheel in wheels:
            text += f'[[packages.wheels]]\nname = "{wheel.path.name}"\nurl = "{server.file_url(wheel)}"\n'
            text += f'hashes = {{sha256 = "{wheel.sha256}"}}\n'
    return text


def _requirements(packages: dict[str, list[Wheel]]) -> str:
    text = ""
    for name, wheels in packages.items():
        marker = " ; sys_platform == 'win32'" if name == "windows" else ""
        hashes = [wheel.sha256 for wheel in wheels] + [SDIST]
        text += f"{name}==1.0{marker}" + "".join(f" --hash=sha256:{one}" for one in hashes) + "\n"
    return text


def test_every_locked_wheel_gets_a_line(project: Project) -> None:
    ran = project.anchor("--fetch")
    assert ran.code == 0, ran.stderr
    assert "for every platform" in ran.stderr and "--for" in ran.stderr
    assert "unanchored" not in ran.stderr
    assert project.lines() == sorted(wheel.path.name for wheel in project.wheels)
    assert project.anchor("--check").code == 0
    before = len(project.server.asked)
    again = project.anchor("--fetch")
    assert again.code == 0, again.stderr
    assert not [one for one in project.server.asked[before:] if one.target.endswith(".whl")], "they are in the cache"


def test_for_one_platform_only_its_wheels_are_fetched_and_missed(project: Project) -> None:
    ran = project.anchor("--fetch", "--for", LINUX)
    assert ran.code == 0, ran.stderr
    wanted = ["many-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "pure-1.0-py3-none-any.whl"]
    assert project.fetched() == wanted and project.lines() == wanted
    assert project.anchor("--check", "--for", LINUX).code == 0
    other = project.anchor("--check", "--for", MACOS)
    assert other.code == 1 and "many 1.0" in other.stderr and "windows" not in other.stderr
    everything = project.anchor("--check")
    assert everything.code == 1 and "windows 1.0" in everything.stderr


def test_several_platforms_may_be_named_one_after_the_other(project: Project) -> None:
    assert project.anchor("--fetch", "--for", LINUX).code == 0
    assert project.anchor("--fetch", "--for", MACOS).code == 0
    assert len(project.lines()) == 3, "lines of before stay"
    assert project.anchor("--check", "--for", LINUX, "--for", MACOS).code == 0
    assert project.anchor("--fetch", "--for", LINUX, "--for", "3.11-windows-amd64").code == 0
    assert len(project.lines()) == 4


def test_an_environment_says_what_fits_it(project: Project, interpreter: Interpreter) -> None:
    venv = make_venv(project.path / "venv", interpreter)
    pure = next(wheel for wheel in project.wheels if wheel.name == "pure")
    install(venv, [pure])
    lock = project.path / "only" / "requirements.txt"
    lock.parent.mkdir()
    lock.write_text(f"pure==1.0 --hash=sha256:{pure.sha256} --hash=sha256:{SDIST}\n")
    alone = project._replace(lock=lock)
    ran = alone.anchor("--fetch", "--for", venv.path)
    assert ran.code == 0, ran.stderr
    found = scan("--lock", lock, venv.path)
    assert [one["assurance"] for one in found.environment["distributions"]] == ["anchored"], found.told()


def test_each_failure_is_named_and_the_rest_is_written(project: Project) -> None:
    gone = f"/files/{project.wheels[0].path.name}"
    del project.server.routes[gone]
    ran = project.anchor("--fetch")
    assert ran.code == 0, "the file is right as far as it goes"
    assert ran.stderr.count("404") == 1 and "many 1.0" in ran.stderr, ran.stderr
    assert len(project.lines()) == len(project.wheels) - 1
    assert "1 other locked archives" in ran.stdout.decode() or "other locked archives" in ran.stdout.decode()


@pytest.mark.parametrize("target", ["nowhere", "3.12-plan9-x86_64", "3.12"])
def test_what_is_no_target_is_a_mistake_of_the_users(project: Project, target: str) -> None:
    ran = project.anchor("--fetch", "--for", target)
    assert ran.code == 2 and len(ran.stderr.splitlines()) <= 2, ran.stderr
    assert project.server.asked == []


def test_lines_of_wheels_from_a_cache_bear_their_own_names(project: Project, tmp_path: Path) -> None:
    """A cache calls them by their hashes."""
    project.anchor("--fetch", "--for", LINUX)
    project.anchors.unlink()
    before = len(project.server.asked)
    assert project.anchor().code == 0
    assert len(project.server.asked) == before
    assert project.lines() == ["many-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "pure-1.0-py3-none-any.whl"]
