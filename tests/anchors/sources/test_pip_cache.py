"""pip's own cache, filled by real pips from an index that lets responses be kept, leads to the archives."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.anchors.sources import find
from envcheck.anchors.sources.pip import spellings
from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted
from support.looking import User, by_hash, content, wanted_of
from support.pythons import interpreter_where
from support.servers import Server, moved
from support.venvs import make_venv, run
from support.wheels import Wheel, build_wheel

Pip = tuple[list[str], str]
"""The command of a pip, and the directory of its cache that has responses."""
NEW, OLD = "http-v2", "http"


def newest(directory: Path) -> Pip:
    """The pip that is pinned beside the other tools: a response's body is a file of its own."""
    python = Path(sys.prefix).parent / "lockers" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no lockers environment beside the tests' own: make test makes it")
    return [str(python), "-I", "-m", "pip"], NEW


def of_2023(directory: Path) -> Pip:
    """pip 23.0.1, which ensurepip of Python 3.9 and 3.10 brings: all of a response is in one file."""
    old = interpreter_where("CPython 3.9 or 3.10 with ensurepip", lambda found: found.minor in ((3, 9), (3, 10)))
    venv = make_venv(directory / "with-old-pip", old, "--symlinks")
    version = run([str(venv.python), "-I", "-m", "pip", "--version"])
    assert version.startswith(("pip 22.", "pip 23.0")), version
    return [str(venv.python), "-I", "-m", "pip"], OLD


@pytest.fixture(scope="module", params=[newest, of_2023])
def pip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pip:
    make: Callable[[Path], Pip] = request.param
    return make(tmp_path_factory.mktemp("pip"))


def fill(pip: Pip, server: Server, user: User, wheels: list[Wheel], *options: str) -> Path:
    """Have pip download the wheels; the cache that it left."""
    command, layout = pip
    where = ("--index-url", server.index, "--trusted-host", "127.0.0.1", "--dest", str(user.home / "downloads"))
    wanted = [f"{wheel.name}=={wheel.version}" for wheel in wheels]
    environ = {**user.environ, "PIP_NO_CACHE_DIR": "", "PIP_CONFIG_FILE": os.devnull}
    environ = {name: value for name, value in environ.items() if value}
    quiet = ("-q", "--disable-pip-version-check", "--no-deps", "--no-python-version-warning")
    run(
        [
            "/usr/bin/env",
            "-i",
            *(f"{k}={v}" for k, v in environ.items()),
            *command,
            "download",
            *quiet,
            *where,
            *options,
            *wanted,
        ]
    )
    caches = [path for path in user.home.rglob(layout) if path.is_dir()]
    assert len(caches) == 1, "pip kept no response"
    return caches[0]


def found_one(user: User, wanted: Wanted) -> list[Held]:
    return find(Files(), [wanted], user.places()).get(wanted, [])


def test_the_locks_own_url_leads_to_the_response(pip: Pip, server: Server, user: User, archives: list[Wheel]) -> None:
    server.serve(archives)
    fill(pip, server, user, archives)
    for wheel in archives:
        wanted = wanted_of(wheel, url=server.file_url(wheel) + f"#sha256={wheel.sha256}")
        (held,) = found_one(user, wanted)
        assert content(held) == wheel.path.read_bytes()
        assert held.origin == "cache"
        assert held.length == wheel.path.stat().st_size


def test_without_a_url_the_hash_of_each_response_leads_to_it(
    pip: Pip, server: Server, user: User, archives: list[Wheel]
) -> None:
    server.serve(archives)
    fill(pip, server, user, archives)
    wanted = [by_hash(wheel) for wheel in archives] + [wanted_of(wheel) for wheel in archives]
    found = find(Files(), wanted, user.places())
    assert {one: content(held) for one, (held,) in found.items()} == {
        one: wheel.path.read_bytes() for one, wheel in zip(wanted, [*archives, *archives], strict=True)
    }


def test_a_response_that_the_locks_url_was_redirected_to_is_found_by_its_hash(
    pip: Pip, server: Server, user: User, colours: Wheel
) -> None:
    server.serve([colours])
    name = f"/files/{colours.path.name}"
    server.routes[f"/elsewhere/{colours.path.name}"] = server.routes[name]
    server.routes[name] = moved(f"/elsewhere/{colours.path.name}")
    fill(pip, server, user, [colours])
    (held,) = found_one(user, wanted_of(colours, url=server.file_url(colours)))
    assert content(held) == colours.path.read_bytes()


def test_a_response_with_another_hash_is_no_candidate_by_hash(
    pip: Pip, server: Server, user: User, colours: Wheel, tmp_path: Path
) -> None:
    server.serve([colours])
    fill(pip, server, user, [colours])
    other = build_wheel(tmp_path / "other", "colours", "1.0", {"colours.py": "RED = 2\n"})
    assert found_one(user, by_hash(other)) == []


def test_a_cache_that_was_moved_by_the_users_variable_is_looked_into(
    pip: Pip, server: Server, user: User, colours: Wheel
) -> None:
    server.serve([colours])
    moved_to = user.home / "elsewhere"
    fill(pip, server, user, [colours], "--cache-dir", str(moved_to))
    assert found_one(user, by_hash(colours)) == []
    user.environ["PIP_CACHE_DIR"] = str(moved_to)
    (held,) = found_one(user, by_hash(colours))
    assert content(held) == colours.path.read_bytes()
    user.environ["PIP_CACHE_DIR"] = os.path.relpath(moved_to)
    assert found_one(user, by_hash(colours)) == []


def test_a_cache_is_not_looked_into_when_that_is_not_wanted(
    pip: Pip, server: Server, user: User, colours: Wheel
) -> None:
    server.serve([colours])
    fill(pip, server, user, [colours])
    assert find(Files(), [by_hash(colours)], user.places(caches=False)) == {}


def test_what_pip_built_itself_is_not_looked_at(user: User, colours: Wheel) -> None:
    """Its hash may be anything: nothing binds it to the lock."""
    built = user.cache / "pip" / "wheels" / "aa" / "bb" / "cc" / "dd" / colours.path.name
    built.parent.mkdir(parents=True)
    built.write_bytes(colours.path.read_bytes())
    assert found_one(user, wanted_of(colours)) == []


def hostile(cache: Path) -> None:
    """Names and things that no pip leaves."""
    deep = cache / "http-v2" / "a" / "b" / "c" / "d" / "e"
    deep.mkdir(parents=True)
    key = "abcde" + "0" * 51
    os.mkfifo(deep / f"{key}.body")
    (deep / "loop").symlink_to(deep)
    (deep / ("1" * 56 + ".body")).symlink_to("/dev/zero")
    (deep / ("2" * 56 + ".body")).write_bytes(b"PK\x03\x04" + b"colours-1.0.dist-info/" * 10)
    (deep / ("3" * 56 + ".body")).mkdir()
    (cache / "http-v2" / "f").symlink_to("/")
    old = cache / "http" / "a" / "b" / "c" / "d" / "e"
    old.mkdir(parents=True)
    for number, data in enumerate(
        [
            b"cc=4,\x81\xa8response\x81\xa4body\xc6\xff\xff\xff\xff",
            b"cc=1,cos\nsystem\n(S'true'\ntR.",
            b"cc=4," + b"\x81" * 100_000,
            b"cc=4,\x81\xa8response\x81\xa4body\xc6\x00\x00\x00\x04PK\x03\x04",
        ]
    ):
        (old / f"{number}{'0' * 55}").write_bytes(data)


def test_nothing_in_a_cache_makes_a_search_hang_or_leave_it(user: User, colours: Wheel) -> None:
    hostile(user.cache / "pip")
    files = Files()
    assert find(files, [wanted_of(colours), by_hash(colours)], user.places()) == {}
    assert files.not_seen == ()
    assert files.bytes_read < 1 << 20


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://index.example/f/a-1.0-py3-none-any.whl#sha256=00", "https://index.example/f/a-1.0-py3-none-any.whl"),
        ("HTTPS://Index.example/a.whl", "https://index.example/a.whl"),
        ("https://user:word@index.example/a.whl", "https://index.example/a.whl"),
        ("https://index.example/a-1+x.whl", "https://index.example/a-1%2Bx.whl"),
        ("https://index.example/a-1%2Bx.whl", "https://index.example/a-1%2Bx.whl"),
        ("https://index.example/a.whl?token=1", "https://index.example/a.whl?token=1"),
    ],
)
def test_a_url_is_spelt_as_pip_asked_for_it(url: str, asked: str) -> None:
    assert asked in spellings(url)


@pytest.mark.parametrize("url", ["", "a.whl", "../a.whl", "file:///a.whl", "https://", "https://[::1/a.whl"])
def test_what_pip_never_asked_for_is_not_looked_up(url: str) -> None:
    assert spellings(url) == []
