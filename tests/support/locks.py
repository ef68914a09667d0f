"""Locks for the wheels that the tests build."""

from __future__ import annotations

from pathlib import Path

from support.wheels import Wheel


def hashed_requirements(path: Path, *wheels: Wheel) -> Path:
    """A requirements file in hash mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{wheel.requirement}\n" for wheel in wheels))
    return path


def uv_lock(project: Path, *wheels: Wheel, name: str = "shop") -> Path:
    """A project with a ``uv.lock`` that pins the wheels."""
    project.mkdir(parents=True, exist_ok=True)
    dependencies = "".join(f"    {{ name = {wheel.name!r} }},\n" for wheel in wheels)
    packages = "".join(
        f"[[package]]\nname = {wheel.name!r}\nversion = {wheel.version!r}\n"
        "source = { registry = 'https://index.example/simple' }\n"
        f"wheels = [\n    {{ url = 'https://files.index.example/{wheel.path.name}', "
        f"hash = 'sha256:{wheel.sha256}' }},\n]\n\n"
        for wheel in wheels
    )
    (project / "pyproject.toml").write_text(
        f"[project]\nname = {name!r}\nversion = '0.1.0'\n"
        f"dependencies = {[f'{wheel.name}=={wheel.version}' for wheel in wheels]!r}\n"
    )
    lock = project / "uv.lock"
    lock.write_text(
        f"version = 1\nrevision = 3\nrequires-python = '>=3.8'\n\n{packages}"
        f"[[package]]\nname = {name!r}\nversion = '0.1.0'\nsource = {{ virtual = '.' }}\n"
        f"dependencies = [\n{dependencies}]\n"
    )
    return lock
