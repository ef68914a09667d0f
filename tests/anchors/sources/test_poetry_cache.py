"""Poetry's own cache of archives, filled by the real Poetry, leads to them; what it built passes for none."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from envcheck.anchors.sources import find
from envcheck.anchors.sources.bodies import has_hash
from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted
from locks.lockers import BACKEND, need
from support.looking import User, by_hash, content, wanted_of
from support.pythons import Interpreter
from support.servers import Answer, Server
from support.venvs import make_venv, run
from support.wheels import Wheel, build_wheel

PROJECT = """
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["colours", "shapes", "sounds-more", "xi @ {url}", "built"]
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "local"
url = "{index}/"
priority = "primary"
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that builds itself with nothing but the standard library."""
    files = {
        "NAME": "built",
        "backend.py": BACKEND,
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
        "PKG-INFO": "Metadata-Version: 2.1\nName: built\nVersion: 0.3\n",
    }
    path = tmp_path_factory.mktemp("sdist") / "built-0.3.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"built-0.3/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


class Filled:
    """A user whose Poetry installed a project."""

    def __init__(self, user: User, server: Server, wheels: list[Wheel], direct: Wheel) -> None:
        self.user, self.server, self.wheels, self.direct = user, server, wheels, direct

    def look(self, wanted: Wanted) -> list[Held]:
        return find(Files(), [wanted], self.user.places()).get(wanted, [])


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, archives: list[Wheel], interpreter: Interpreter, sdist: Path
) -> Filled:
    poetry = need("poetry")
    place = tmp_path_factory.mktemp("poetry")
    direct = build_wheel(place / "direct", "xi", "1.0", {"xi.py": ""})
    user = User(place / "home")
    project = user.home / "project"
    project.mkdir(parents=True)
    venv = make_venv(project / ".venv", interpreter)
    with Server() as server:
        server.serve([*archives, direct])
        import hashlib

        data = sdist.read_bytes()
        server.routes[f"/files/{sdist.name}"] = Answer(data)
        link = f'<a href="/files/{sdist.name}#sha256={hashlib.sha256(data).hexdigest()}">x</a>'
        server.routes["/simple/built/"] = Answer(link.encode(), headers={"Content-Type": "text/html"})
        (project / "pyproject.toml").write_text(PROJECT.format(url=server.file_url(direct), index=server.index))
        settings = {
            **user.environ,
            "VIRTUAL_ENV": str(venv.path),
            "PATH": f"{venv.bin}:{os.defpath}",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "POETRY_KEYRING_ENABLED": "false",
        }
        for step in (("lock",), ("sync", "--no-root")):
            run([poetry, *step, "--no-interaction"], cwd=project, **settings)
        return Filled(user, server, archives[:3], direct)


def test_a_file_name_of_the_lock_leads_to_the_archive(filled: Filled) -> None:
    """poetry.lock has file names and hashes, and no URLs."""
    for wheel in filled.wheels:
        (held,) = filled.look(wanted_of(wheel))
        assert content(held) == wheel.path.read_bytes()
        assert held.origin == "cache"
        assert held.path.startswith(f"{filled.user.cache}/pypoetry/artifacts/")


def test_name_and_version_lead_to_it_where_the_lock_gives_no_file_name(filled: Filled) -> None:
    for wheel in filled.wheels:
        (held,) = filled.look(by_hash(wheel))
        assert content(held) == wheel.path.read_bytes()


def test_url_and_hash_lead_to_it_without_a_walk(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Files, "walk")
    for wheel in (*filled.wheels, filled.direct):
        wanted = wanted_of(wheel, url=filled.server.file_url(wheel) + f"#sha256={wheel.sha256}")
        (held,) = filled.look(wanted)
        assert content(held) == wheel.path.read_bytes()


def test_a_wheel_that_poetry_built_has_the_name_and_not_the_hash(filled: Filled) -> None:
    """It lies beside the sdist, under a name as good as any; whoever recomputes the hash is not taken in."""
    wanted = Wanted("built", "0.3", "built-0.3-py3-none-any.whl", None, (("sha256", "0" * 64),))
    (held,) = filled.look(wanted)
    assert held.origin == "cache"
    assert not has_hash(Files(), held, wanted)


def test_what_has_the_name_and_not_the_hash_does_not_keep_from_a_fetch(
    filled: Filled, server: Server, tmp_path: Path
) -> None:
    other = build_wheel(tmp_path / "other", "built", "0.3", {"built.py": "the released one"})
    server.serve([other])
    wanted = wanted_of(other)
    places = filled.user.places(fetch=True, index_url=server.index)
    ((held,),) = find(Files(), [wanted], places).values()
    assert held.origin == "fetched"
    assert content(held) == other.path.read_bytes()


def test_a_cache_that_was_moved_by_the_users_variable_is_looked_into(filled: Filled, tmp_path: Path) -> None:
    other = User(tmp_path)
    wheel = filled.wheels[0]
    assert find(Files(), [wanted_of(wheel)], other.places()) == {}
    other.environ["POETRY_CACHE_DIR"] = str(filled.user.cache / "pypoetry")
    assert len(find(Files(), [wanted_of(wheel)], other.places())) == 1


def test_nothing_in_a_cache_makes_a_search_hang_or_leave_it(user: User, colours: Wheel) -> None:
    place = user.cache / "pypoetry" / "artifacts" / "aa" / "bb" / "cc" / ("d" * 58)
    place.mkdir(parents=True)
    os.mkfifo(place / colours.path.name)
    (place.parent / ("e" * 58)).symlink_to("/")
    (place / "below").mkdir()
    (place / "below" / colours.path.name).write_bytes(colours.path.read_bytes())
    (place.parents[2] / "no-key").mkdir()
    (place.parents[2] / "no-key" / colours.path.name).write_bytes(colours.path.read_bytes())
    files = Files()
    assert find(files, [wanted_of(colours)], user.places()) == {}
    assert files.not_seen == ()
