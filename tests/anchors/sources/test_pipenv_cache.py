"""Pipenv keeps responses as pip does, in a cache directory of its own."""

from __future__ import annotations

import os

from envcheck.anchors.sources import find
from envcheck.files.root import Files
from locks.lockers import need
from support.looking import User, by_hash, content
from support.pythons import Interpreter
from support.servers import Server
from support.venvs import make_venv, run
from support.wheels import Wheel

PIPFILE = """
[[source]]
url = "{index}"
verify_ssl = false
name = "pypi"
[packages]
colours = "*"
sounds-more = "*"
"""


def test_what_pipenv_kept_is_found_by_its_hash(
    server: Server, user: User, archives: list[Wheel], interpreter: Interpreter
) -> None:
    """Pipfile.lock has neither URLs nor file names."""
    pipenv = need("pipenv")
    server.serve(archives)
    project = user.home / "project"
    project.mkdir()
    venv = make_venv(project / ".venv", interpreter)
    (project / "Pipfile").write_text(PIPFILE.format(index=server.index))
    settings = {
        **user.environ,
        "VIRTUAL_ENV": str(venv.path),
        "PATH": f"{venv.bin}:{os.defpath}",
        "PIPENV_VERBOSITY": "-1",
        "PIPENV_NOSPIN": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
    }
    for step in ("lock", "sync"):
        run([pipenv, step], cwd=project, **settings)
    wheels = [archives[0], archives[2]]
    found = find(Files(), [by_hash(wheel) for wheel in wheels], user.places())
    assert [content(held[0]) for held in found.values()] == [wheel.path.read_bytes() for wheel in wheels]
    assert all(held[0].path.startswith(f"{user.cache}/pipenv/http-v2/") for held in found.values())
