"""Generated files as the real tools write them, from what stands on this machine."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest

from support.pythons import Interpreter


def bundled(interpreter: Interpreter, name: str) -> Path:
    """The wheel of ``name`` that ``ensurepip`` of this interpreter carries, or a skip."""
    library = Path(interpreter.path).parent.parent / "lib" / interpreter.name / "ensurepip" / "_bundled"
    found = sorted(library.glob(f"{name}-*.whl"))
    if not found:
        pytest.skip(f"ensurepip of {interpreter.path} carries no {name}")
    return found[-1]


def literals(wheel: Path, member: str) -> dict[str, object]:
    """Every name that a module assigns a literal to, at whatever level."""
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read(member))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def setuptools_finder(wheel: Path, name: str, mapping: dict[str, str], namespaces: dict[str, list[str]]) -> bytes:
    """A finder as this setuptools generates it."""
    template = literals(wheel, "setuptools/command/editable_wheel.py")["_FINDER_TEMPLATE"]
    assert isinstance(template, str)
    return template.format(name=name, mapping=mapping, namespaces=namespaces).encode()


def namespace_lines(wheel: Path, *packages: str) -> bytes:
    """A ``-nspkg.pth`` as this setuptools generates it."""
    found = literals(wheel, "setuptools/namespaces.py")
    lines = []
    for package in packages:
        parent, _, child = package.rpartition(".")
        template = found["_nspkg_tmpl"] + (found["_nspkg_tmpl_multi"] if parent else ())  # type: ignore[operator]
        names = {"root": "sys._getframe(1).f_locals['sitedir']", "pkg": package, "pth": tuple(package.split("."))}
        lines.append(";".join(template) % {**names, "parent": parent, "child": child} + "\n")
    return "".join(lines).encode()
