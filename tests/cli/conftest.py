"""An environment and a command for the tests of the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.venvs import Venv

_CAPABILITIES = "-dac_override,-dac_read_search"


@pytest.fixture
def clean_env(venv: Venv) -> Venv:
    """Nothing to find in it."""
    return venv


@pytest.fixture
def attacked(venv: Venv, tmp_path: Path) -> Venv:
    """One unowned `.pth` whose payload leaves a mark."""
    (venv.site / "x.pth").write_text(f"import os; open({str(tmp_path / 'marks')!r}, 'a').write('ran')\n")
    return venv


@pytest.fixture
def unprivileged() -> Callable[[list[str]], list[str]]:
    """A command line for a process that file permissions bind: root's loses the capabilities to ignore them."""
    if os.geteuid():
        return lambda command: command
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    if setpriv is None:
        pytest.skip("setpriv is not on PATH, and root may read everything")
    prefix = [setpriv, "--bounding-set", _CAPABILITIES]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("setpriv may not drop capabilities here, and root may read everything")
    return lambda command: [*prefix, *command]
