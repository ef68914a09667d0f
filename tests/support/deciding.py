"""A project that decides: what it accepts of its environment, and where it says so."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from support import scanning
from support.scanning import Scan
from support.venvs import Venv


def plant(venv: Venv, code: str = "import helper\n") -> None:
    """Startup code that nobody owns, and the module that it loads."""
    (venv.site / "hook.pth").write_text(code)
    (venv.site / "helper.py").write_text("VALUE = 1\n")


def waiver(found: Scan, rule: str, name: str, expires: str = "2999-12-31") -> str:
    """The waiver that the report gives, filled in."""
    (told,) = [f for f in found.findings if f["rule"] == rule and (f["place"] or "").endswith(name)]
    return textwrap.dedent(
        f"""
        [[waivers]]
        rule = "{rule}"
        path = "{told["place"]}"
        sha256 = "{told["content"]}"
        reason = "ours"
        expires = "{expires}"
        """
    )


def waive_all(found: Scan) -> str:
    return "".join(waiver(found, finding["rule"], finding["place"]) for finding in found.at_least("high"))


def look(project: Path, venv: Venv, *options: str | Path, **more: Any) -> Scan:
    return scanning.scan("--no-lock", *options, venv.path, cwd=project, **more)


def write_baseline(project: Path, venv: Venv) -> Path:
    path = project / "base.json"
    ran = scanning.envcheck("baseline", "write", "--no-lock", "--baseline", path, venv.path, cwd=project)
    assert ran.code == 0, ran.stderr
    return path
