"""The report does not depend on which supported Python makes it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import envcheck
from support.pythons import Interpreter, every_version, own

MAIN = Path(envcheck.__file__).parent / "__main__.py"
SUPPORTED = [found for found in every_version() if found.id is not None and int(found.id.split(".")[1]) >= 10]


def report(interpreter: Interpreter, target: Path, *options: str) -> dict[str, Any]:
    command = [interpreter.path, "-I", "-S", str(MAIN), "scan", "--no-lock", "--format", "json", *options, str(target)]
    done = subprocess.run(command, env={}, cwd=target, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    for what in ("timing", "clean_room", "clean_room_why"):
        found["scan"].pop(what, None)
    return found


@pytest.mark.parametrize("interpreter", SUPPORTED)
@pytest.mark.parametrize("options", [(), ("--startup-only",)], ids=["full", "startup only"])
def test_every_supported_python_makes_the_same_report(
    interpreter: Interpreter, options: tuple[str, ...], tmp_path: Path
) -> None:
    target = tmp_path / "venv"
    subprocess.run([own().path, "-I", "-m", "venv", "--without-pip", str(target)], check=True)
    (site,) = target.glob("lib/python3*/site-packages")
    (site / "hook.pth").write_text("import sys, helper; helper.install()\n./more\n")
    (site / "helper.py").write_text("import json\n\ndef install(first=1, *, second: int = 2) -> None:\n    pass\n")
    (site / "sitecustomize.py").write_text("match 1:\n    case 1:\n        import colorsys\n")
    (site / "more").mkdir()
    assert report(interpreter, target, *options) == report(own(), target, *options)
