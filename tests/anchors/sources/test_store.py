"""envcheck's own cache: private, named by hashes, hashed at each use; another's is neither read nor written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from envcheck.anchors.sources import find
from envcheck.anchors.sources.store import Contents, Store, Unusable
from envcheck.files.root import Files
from support.looking import User, wanted_of
from support.scanning import Ran, envcheck, environ
from support.servers import Server
from support.wheels import Wheel

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def fill(user: User, server: Server, wheels: list[Wheel]) -> None:
    server.serve(wheels)
    find(Files(), [wanted_of(wheel, url=server.file_url(wheel)) for wheel in wheels], user.places(fetch=True))
    assert len(list(user.fetched.iterdir())) == len(wheels)


def told(user: User, wheel: Wheel, **more: Any) -> tuple[bool, str]:
    """Whether the cache leads to the wheel, and what is said of it."""
    problems: Any = []
    found = find(Files(), [wanted_of(wheel)], user.places(**more), None, problems)
    return bool(found), " ".join(text for _, text in problems)


def test_what_is_made_is_for_this_user_alone(user: User, server: Server, colours: Wheel) -> None:
    old = os.umask(0)
    try:
        fill(user, server, [colours])
    finally:
        os.umask(old)
    for directory in (user.fetched, user.fetched.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in user.fetched.iterdir()] == [0o600]


@pytest.mark.parametrize("place", ["", "wheels"])
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_may_write_to_is_not_used(
    user: User, server: Server, colours: Wheel, place: str, mode: int
) -> None:
    fill(user, server, [colours])
    assert told(user, colours) == (True, "")
    (user.fetched.parent / place).chmod(mode)
    found, why = told(user, colours)
    assert not found
    assert f"can be written to by others (mode {mode:o})" in why
    found, why = told(user, colours, fetch=True, index_url=server.index)
    assert not found
    assert "nothing is fetched, because it could not be kept" in why
    assert len(server.asked) == 1


@as_root
@pytest.mark.parametrize("place", ["", "wheels"])
def test_another_users_directory_is_not_used(user: User, server: Server, colours: Wheel, place: str) -> None:
    fill(user, server, [colours])
    os.chown(user.fetched.parent / place, 12345, 12345)
    found, why = told(user, colours)
    assert not found
    assert "belongs to another user" in why


@pytest.mark.parametrize("place", ["envcheck", "envcheck/wheels"])
def test_a_link_in_its_place_is_not_followed(
    user: User, server: Server, colours: Wheel, tmp_path: Path, place: str
) -> None:
    victim = tmp_path / "victim"
    (victim / "wheels").mkdir(parents=True, mode=0o700)
    victim.chmod(0o700)
    link = user.cache / place
    link.parent.mkdir(parents=True, mode=0o700)
    link.parent.chmod(0o700)
    link.symlink_to(victim)
    server.serve([colours])
    found, why = told(user, colours, fetch=True, index_url=server.index)
    assert not found
    assert f"{link} " in why
    assert list(victim.iterdir()) == [victim / "wheels"]
    assert list((victim / "wheels").iterdir()) == []


@pytest.mark.parametrize("inside", [".cache", ".", ".cache/envcheck"])
def test_nothing_is_kept_in_a_target(user: User, server: Server, colours: Wheel, inside: str) -> None:
    server.serve([colours])
    found, why = told(user, colours, fetch=True, index_url=server.index, forbidden=(str(user.home / inside),))
    assert not found
    assert "lies in the scanned environment" in why
    assert not user.cache.exists()


def test_a_target_reached_through_a_link_is_that_target(user: User, server: Server, colours: Wheel) -> None:
    target = user.home / "target"
    target.mkdir()
    user.environ["XDG_CACHE_HOME"] = str(user.home / "link")
    (user.home / "link").symlink_to(target)
    server.serve([colours])
    found, why = told(user, colours, fetch=True, index_url=server.index, forbidden=(str(target),))
    assert not found
    assert "lies in the scanned environment" in why
    assert list(target.iterdir()) == []


def test_what_stands_in_the_place_of_a_file_is_passed_over(user: User, server: Server, colours: Wheel) -> None:
    fill(user, server, [colours])
    (file,) = user.fetched.iterdir()
    file.unlink()
    for make in (
        lambda: os.mkfifo(file),
        file.mkdir,
        lambda: file.symlink_to("/dev/zero"),
        lambda: file.symlink_to(file),
    ):
        make()
        assert told(user, colours)[0] is False
        file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()


def test_a_hash_that_is_none_names_no_file(user: User, server: Server, colours: Wheel) -> None:
    fill(user, server, [colours])
    (user.fetched.parent / "outside.whl").write_bytes(b"")
    odd = wanted_of(colours, hashes=(("sha256", "../../outside"), ("sha256", ""), ("sha256", "\0")))
    assert find(Files(), [odd], user.places()) == {}
    assert find(Files(), [odd._replace(url=server.file_url(colours))], user.places(fetch=True)) == {}


def test_a_missing_store_is_not_made_to_look_into(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="does not exist"):
        Store(str(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_clearing_deletes_what_envcheck_wrote_and_nothing_else(
    user: User, server: Server, archives: list[Wheel]
) -> None:
    fill(user, server, archives)
    size = sum(wheel.path.stat().st_size for wheel in archives)
    with Store(str(user.fetched.parent)) as store:
        stream, _ = store.part()
        stream.close()
        foreign = user.fetched / "notes.txt"
        foreign.write_text("mine")
        (user.fetched / ("sha256-" + "0" * 64 + ".whl")).symlink_to(foreign)
        assert store.contents() == Contents(4, size, 1)
        assert store.clear() == Contents(4, size, 1)
        assert store.contents() == Contents(0, 0, 0)
    assert foreign.read_text() == "mine"


# The command


def cache(user: User, *arguments: str) -> Ran:
    return envcheck("cache", *arguments, env=environ(user.home))


def test_the_command_tells_and_clears(user: User, server: Server, archives: list[Wheel]) -> None:
    place = str(user.fetched)
    assert cache(user, "info").stdout.decode() == f"{place}: nothing was fetched yet\n"
    fill(user, server, archives)
    size = sum(wheel.path.stat().st_size for wheel in archives)
    assert cache(user, "info").stdout.decode() == f"{place}: 4 archives, {size:,} bytes\n"
    assert cache(user, "clear").stdout.decode() == f"{place}: 4 archives, {size:,} bytes, deleted\n"
    assert cache(user, "info").stdout.decode() == f"{place}: 0 archives, 0 bytes\n"
    assert cache(user, "clear").code == 0


def test_the_command_leaves_a_cache_alone_that_others_may_write_to(user: User, server: Server, colours: Wheel) -> None:
    fill(user, server, [colours])
    user.fetched.chmod(0o777)
    ran = cache(user, "clear")
    assert ran.code == 2
    assert "can be written to by others" in ran.stderr
    assert len(list(user.fetched.iterdir())) == 1


@pytest.mark.parametrize("arguments", [(), ("wipe",), ("info", "more")])
def test_the_command_says_how_it_is_used(user: User, arguments: tuple[str, ...]) -> None:
    ran = cache(user, *arguments)
    assert ran.code == 2
    assert ran.stderr.startswith("envcheck: ")


def test_the_command_needs_a_home() -> None:
    ran = envcheck("cache", "info", env={"HOME": "relative"})
    assert ran.code == 2
    assert "neither HOME nor XDG_CACHE_HOME" in ran.stderr
