"""A directory of wheels: by file name, by name and version, by hash; nothing in it makes a search hang or leave it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from envcheck.anchors.sources import Places, find
from envcheck.anchors.sources.names import WheelName, comparable_version, same_file, wheel_name
from envcheck.files.root import Files
from envcheck.model.anchor import Wanted
from envcheck.model.errors import UsageError
from support.looking import by_hash, wanted_of
from support.wheels import Wheel


@pytest.fixture
def house(tmp_path: Path, archives: list[Wheel]) -> Path:
    directory = tmp_path / "house"
    directory.mkdir()
    for wheel in archives:
        shutil.copy(wheel.path, directory)
    return directory


def look(wanted: Wanted, *houses: Path) -> list[str]:
    """The names of the candidates, the best first."""
    found = find(Files(), [wanted], Places(wheels=tuple(map(str, houses)), caches=False))
    assert all(held.origin == "wheels" and not held.offset for held in found.get(wanted, ()))
    return [os.path.basename(held.path) for held in found.get(wanted, ())]


def test_the_locks_file_name_leads_to_the_wheel(house: Path, archives: list[Wheel]) -> None:
    for wheel in archives:
        assert look(wanted_of(wheel), house) == [wheel.path.name]


def test_the_end_of_the_locks_url_is_a_file_name_too(house: Path, archives: list[Wheel]) -> None:
    url = "https://index.example/files/shapes-2.0%2Blocal-py3-none-any.whl#sha256=00"
    assert look(by_hash(archives[1], url=url), house) == ["shapes-2.0+local-py3-none-any.whl"]


def test_name_and_version_lead_to_the_wheel_where_the_lock_gives_no_file_name(
    house: Path, archives: list[Wheel]
) -> None:
    for wheel in archives:
        assert look(by_hash(wheel), house) == [wheel.path.name]
    assert look(by_hash(archives[0], version="1.0.0"), house) == [archives[0].path.name]


def test_a_wheel_of_the_right_name_is_a_candidate_though_its_hash_is_another(house: Path, colours: Wheel) -> None:
    """That it does not match the lock is for the comparison to say."""
    (house / colours.path.name).write_bytes(b"another")
    assert look(wanted_of(colours), house) == [colours.path.name]
    assert look(by_hash(colours), house) == [colours.path.name]


def test_a_wheel_of_another_version_build_or_tag_is_no_candidate(house: Path, colours: Wheel) -> None:
    (house / colours.path.name).unlink()
    for name in ("colours-1.1-py3-none-any.whl", "colours-1.0-1-py3-none-any.whl", "colours-1.0-cp311-none-any.whl"):
        (house / name).write_bytes(b"PK\x03\x04")
    assert look(wanted_of(colours), house) == []
    assert look(by_hash(colours), house) == ["colours-1.0-1-py3-none-any.whl", "colours-1.0-cp311-none-any.whl"]


def test_a_wheel_under_any_name_is_found_by_its_hash(house: Path, colours: Wheel) -> None:
    for name in ("renamed.whl", "colours-9.9-py3-none-any.whl", "x-1.0-py3-none-any.whl", "\u202e\x1b[31m.whl"):
        only = house / name
        (house / colours.path.name).rename(only)
        assert look(wanted_of(colours), house) == [name]
        assert look(wanted_of(colours, size=colours.path.stat().st_size), house) == [name]
        assert look(wanted_of(colours, size=1), house) == []
        only.rename(house / colours.path.name)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_other_strong_hashes_lead_to_it_as_well(house: Path, colours: Wheel, algorithm: str) -> None:
    import hashlib

    (house / colours.path.name).rename(house / "renamed.whl")
    digest = hashlib.new(algorithm, colours.path.read_bytes()).hexdigest()
    assert look(wanted_of(colours, hashes=((algorithm, digest),)), house) == ["renamed.whl"]


def test_nothing_is_looked_for_by_a_weak_hash(house: Path, colours: Wheel) -> None:
    assert look(wanted_of(colours, hashes=(("md5", "0" * 32), ("sha1", "0" * 40))), house) == []
    assert look(wanted_of(colours, hashes=()), house) == []


def test_directories_are_looked_into_in_the_order_in_which_they_were_named(
    house: Path, tmp_path: Path, colours: Wheel
) -> None:
    other = tmp_path / "other"
    shutil.copytree(house, other)
    found = find(Files(), [wanted_of(colours)], Places(wheels=(str(other), str(house), str(other)), caches=False))
    assert [Path(held.path).parent for held in found[wanted_of(colours)]] == [other, house]


def test_links_to_wheels_are_followed_and_directories_below_are_not_entered(house: Path, colours: Wheel) -> None:
    real = house / "below" / colours.path.name
    real.parent.mkdir()
    (house / colours.path.name).rename(real)
    assert look(wanted_of(colours), house) == []
    (house / colours.path.name).symlink_to(real)
    assert look(wanted_of(colours), house) == [colours.path.name]


def test_what_is_no_regular_file_is_passed_over(house: Path, colours: Wheel) -> None:
    name = house / colours.path.name
    name.unlink()
    for make in (
        lambda: os.mkfifo(name),
        name.mkdir,
        lambda: name.symlink_to(name),
        lambda: name.symlink_to("/dev/zero"),
        lambda: name.symlink_to(house / "gone"),
        lambda: name.symlink_to(house),
    ):
        make()
        assert look(wanted_of(colours), house) == []
        assert look(by_hash(colours), house) == []
        name.rmdir() if name.is_dir() and not name.is_symlink() else name.unlink()


def test_a_huge_file_under_another_name_is_not_hashed(house: Path, colours: Wheel) -> None:
    """A sparse file costs an attacker nothing."""
    (house / colours.path.name).unlink()
    for number in range(20):
        with (house / f"huge-{number}.whl").open("wb") as stream:
            stream.write(b"PK\x03\x04")
            stream.truncate(17 << 30)
    files = Files()
    assert find(files, [wanted_of(colours)], Places(wheels=(str(house),), caches=False)) == {}
    assert files.bytes_read < 8 << 20


def test_of_many_gigabytes_only_what_may_be_it_is_hashed(house: Path, colours: Wheel) -> None:
    """The end of an archive tells of which distribution it is."""
    (house / colours.path.name).rename(house / "renamed.whl")
    for number in range(20):
        with (house / f"other-{number}.whl").open("wb") as stream:
            stream.write(b"PK\x03\x04")
            stream.truncate(1 << 30)
            stream.seek(0, os.SEEK_END)
            stream.write(b"another-1.0.dist-info/RECORD")
    files = Files()
    found = find(files, [wanted_of(colours)], Places(wheels=(str(house),), caches=False))
    assert list(found) == [wanted_of(colours)]
    assert files.bytes_read < 4 << 20


def test_a_hundred_thousand_entries_are_one_listing(tmp_path: Path, colours: Wheel) -> None:
    house = tmp_path / "many"
    house.mkdir()
    for number in range(100_000):
        os.close(os.open(house / f"p{number}-1.0-py3-none-any.whl", os.O_CREAT | os.O_WRONLY))
    shutil.copy(colours.path, house / "zzz.whl")
    files = Files()
    assert look(wanted_of(colours), house) == ["zzz.whl"]
    assert files.not_seen == ()


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("x"), lambda path: os.mkfifo(path)])
def test_what_is_no_directory_is_a_mistake_of_the_users(tmp_path: Path, colours: Wheel, make: object) -> None:
    assert callable(make)
    make(tmp_path / "house")
    with pytest.raises(UsageError, match=r"--wheels .*house: "):
        look(wanted_of(colours), tmp_path / "house")


# File names


def test_a_file_name_says_name_version_build_and_tags() -> None:
    assert wheel_name("Big_Name-1.0.0-2b-py2.py3-none-any.whl") == WheelName(
        "big-name", "1.0.0", "2b", ("py2-none-any", "py3-none-any")
    )


@pytest.mark.parametrize(
    "name",
    [
        *("", ".whl", "a.whl", "a-1.whl", "a-1-py3-none.whl", "a-1-py3-none-any.zip", "a--py3-none-any.whl"),
        *("../a-1-py3-none-any.whl", "a-1-b-c-py3-none-any.whl", "\\a-1-py3-none-any.whl", "a" * 2000 + ".whl"),
        f"a-1-{'.'.join(['x'] * 40)}-none-any.whl",
    ],
)
def test_what_is_no_wheels_name_says_nothing(name: str) -> None:
    assert wheel_name(name) is None


def test_two_spellings_of_one_wheel_are_one() -> None:
    assert same_file("Big.Name-1.0+a.b-py2.py3-none-any.whl", "big_name-1.0+a.b-py3.py2-none-any.whl")
    assert not same_file("a-1.0-py3-none-any.whl", "a-1.0-py2-none-any.whl")
    assert not same_file("a-1.0-py3-none-any.whl", "a-1.0-1-py3-none-any.whl")


def test_a_version_is_compared_as_it_is_normalised() -> None:
    assert comparable_version("1.0rc1") == comparable_version("1.0-RC-1") == comparable_version("v1.0rc01")
    assert comparable_version("1.0_local.1") == comparable_version("1.0+local.1")
    assert comparable_version("no version") == "no version"
    assert comparable_version("1" * 5000) == "1" * 5000
