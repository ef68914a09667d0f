"""A small universe of packages, served by an index on this machine, and environments as comparisons take them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from locks.indexes import Index
from support.wheels import Wheel, build_wheel

UNIVERSE = {
    ("alpha", "1.0"): ("beta>=1", "gamma[fast]; python_version >= '3.9'", "tau; sys_platform == 'win32'"),
    ("beta", "1.0"): (),
    ("beta", "2.0"): ("delta",),
    ("gamma", "1.5"): ("epsilon; implementation_name == 'cpython'", "zeta; extra == 'fast'", "eta; extra == 'slow'"),
    ("delta", "0.1"): ("omega; platform_machine == 'x86_64' or platform_machine == 'AMD64'",),
    ("epsilon", "3.1.4"): (),
    ("zeta", "1.0"): ("kappa; python_full_version < '3.11'",),
    ("eta", "1.0"): (),
    ("theta", "1.0"): ("iota[deep]",),
    ("iota", "2.0"): ("lambda-one; extra == 'deep'", "mu; os_name == 'nt'"),
    ("kappa", "1.0"): (),
    ("lambda-one", "1.0"): ("theta",),
    ("mu", "1.0"): (),
    ("omega", "1.0"): (),
    ("sigma", "1.0"): ("beta<2",),
    ("sigma", "2.0"): ("beta>=2", "xi; sys_platform != 'win32'"),
    ("tau", "1.0"): (),
    ("xi", "1.0"): (),
}


@pytest.fixture(scope="session")
def universe(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Wheel]:
    """The wheels, by name and version."""
    directory = tmp_path_factory.mktemp("universe")
    return {key: make_wheel(directory, *key, requires) for key, requires in UNIVERSE.items()}


def make_wheel(directory: Path, name: str, version: str, requires: tuple[str, ...]) -> Wheel:
    module = name.replace("-", "_")
    extras = sorted(set(re.findall(r"extra == '([^']+)'", " ".join(requires))))
    headers = tuple(requirement for requirement in requires)
    built = build_wheel(directory, name, version, {f"{module}.py": f"VERSION = {version!r}\n"}, requires=headers)
    return _with_extras(built, extras) if extras else built


def _with_extras(wheel: Wheel, extras: list[str]) -> Wheel:
    """The wheel with ``Provides-Extra`` lines, which resolvers insist on."""
    import hashlib
    import zipfile

    with zipfile.ZipFile(wheel.path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in members:
        if name.endswith("/METADATA"):
            members[name] += "".join(f"Provides-Extra: {extra}\n" for extra in extras).encode()
    with zipfile.ZipFile(wheel.path, "w") as archive:
        for name, data in members.items():
            if name.endswith("/RECORD"):
                data = b"\n".join(line for line in data.split(b"\n") if b"/METADATA," not in line)
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data)
    return wheel._replace(sha256=hashlib.sha256(wheel.path.read_bytes()).hexdigest())


@pytest.fixture(scope="session")
def package_index(universe: dict[tuple[str, str], Wheel]) -> Iterator[Index]:
    with Index(universe.values()) as index:
        yield index
