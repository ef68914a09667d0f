"""`digest` and `digests`: what hashlib says of the same bytes, in order, each inode once, nothing odd opened."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.files.digests import CHUNK, Digest, Hashing, digest, digests
from envcheck.files.limits import Limits
from envcheck.files.root import Files, Missing, Unreadable


@pytest.fixture(params=["live", "rooted"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Files, str]:
    """The files, and what a path below ``tmp_path`` begins with in their terms."""
    return (Files(), f"{tmp_path}/") if request.param == "live" else (Files(str(tmp_path)), "/")


SIZES = (0, 1, 2047, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("follow", [False, True])
def test_digests_are_hashlibs_in_the_order_asked(
    tmp_path: Path, place: tuple[Files, str], threads: int, follow: bool
) -> None:
    files, prefix = place
    expected = []
    for number in range(200):
        data = bytes([number]) * (SIZES[number % len(SIZES)] if number < 16 else number)
        (tmp_path / f"f{number}").write_bytes(data)
        expected.append(hashlib.sha256(data).digest())
    paths = [f"{prefix}f{number}" for number in range(200)]
    assert digests(files, paths, workers=threads, follow=follow) == expected
    assert digests(files, paths[::-1], workers=threads, follow=follow) == expected[::-1]


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=5000), size=st.sampled_from((0, 1, CHUNK - 1, CHUNK, CHUNK + 1)))
def test_a_digest_is_hashlibs_for_any_content(tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int) -> None:
    path = tmp_path_factory.getbasetemp() / "digested"
    content = data + bytes(size)
    path.write_bytes(content)
    files = Files()
    assert digest(files, str(path)) == (hashlib.sha256(content).hexdigest(), len(content))
    assert digests(files, [str(path)]) == [hashlib.sha256(content).digest()]
    assert files.bytes_read == 2 * len(content)


def test_what_cannot_be_hashed_stands_in_its_place(tmp_path: Path, place: tuple[Files, str]) -> None:
    files, prefix = place
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    names = ["a", "d", "fifo", "link", "none", "loop", "a\0b", "a"]
    found = digests(files, [prefix + name for name in names])
    assert [isinstance(one, bytes) for one in found] == [True, False, False, False, False, False, False, True]
    assert isinstance(found[4], Missing)
    assert "directory" in str(found[1])
    assert "FIFO" in str(found[2])
    followed = digests(files, [prefix + name for name in names], follow=True)
    assert followed[3] == followed[0]
    assert isinstance(followed[5], Unreadable)


def test_one_odd_file_costs_its_neighbours_nothing(tmp_path: Path, place: tuple[Files, str]) -> None:
    files, prefix = place
    for number in range(100):
        (tmp_path / str(number)).write_bytes(b"%d" % number)
    names = [str(number) for number in range(100)]
    names[50:50] = ["none", "\0"]
    found = digests(files, [prefix + name for name in names])
    assert sum(isinstance(one, bytes) for one in found) == 100
    assert found[-1] == hashlib.sha256(b"99").digest()


def test_a_file_with_several_names_is_read_once(
    tmp_path: Path, place: tuple[Files, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, prefix = place
    (tmp_path / "a").write_bytes(b"x" * 1000)
    for number in range(40):
        os.link(tmp_path / "a", tmp_path / f"also{number}")
    read, reads = os.read, []

    def counted(fd: int, size: int) -> bytes:
        reads.append(size)
        return read(fd, size)

    monkeypatch.setattr(os, "read", counted)
    found = digests(files, [prefix + name for name in sorted(os.listdir(tmp_path))])
    assert set(found) == {hashlib.sha256(b"x" * 1000).digest()}
    assert len(reads) == 1
    assert files.bytes_read == 41 * 1000


def test_a_file_over_the_bound_is_refused_before_it_is_read(tmp_path: Path, place: tuple[Files, str]) -> None:
    files, prefix = place
    files.limits = Limits()._replace(digest=CHUNK)
    with open(tmp_path / "sparse", "wb") as stream:
        stream.truncate(1 << 42)
    (tmp_path / "fits").write_bytes(bytes(CHUNK))
    big, fits = digests(files, [prefix + "sparse", prefix + "fits"])
    assert isinstance(big, Unreadable)
    assert "larger than the bound" in big.why
    assert fits == hashlib.sha256(bytes(CHUNK)).digest()
    with pytest.raises(Unreadable, match="larger than the bound"):
        digest(files, prefix + "sparse")
    assert files.bytes_read == CHUNK


def test_a_file_that_grows_without_end_is_given_up(
    tmp_path: Path, place: tuple[Files, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, prefix = place
    files.limits = Limits()._replace(digest=4 * CHUNK)
    (tmp_path / "log").write_bytes(bytes(CHUNK))
    monkeypatch.setattr(os, "read", lambda fd, size: bytes(size))
    (found,) = digests(files, [prefix + "log"])
    assert isinstance(found, Unreadable)


def test_a_mounted_root_is_never_left(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to("../secret")
    (top / "absolute").symlink_to(tmp_path / "secret")
    (top / "up").symlink_to("..")
    files = Files(str(top))
    paths = ["/link", "/absolute", "/up/secret", "/../secret", "/up/../secret"]
    for follow in (False, True):
        assert all(isinstance(one, Unreadable) for one in digests(files, paths, follow=follow))


def test_no_files_give_no_digests() -> None:
    assert digests(Files(), []) == []


def test_hashing_leaves_access_times_alone(tmp_path: Path, place: tuple[Files, str]) -> None:
    if not hasattr(os, "O_NOATIME"):
        pytest.skip("O_NOATIME is missing here")
    files, prefix = place
    (tmp_path / "a").write_bytes(b"x")
    os.utime(tmp_path / "a", (1, 1))
    digests(files, [prefix + "a"])
    digest(files, prefix + "a")
    assert os.stat(tmp_path / "a").st_atime == 1


# Worker processes


def many(tmp_path: Path, count: int = 1500) -> list[str]:
    """Files of different sizes, every hundredth missing."""
    paths = []
    for number in range(count):
        path = tmp_path / f"f{number}"
        if number % 100:
            path.write_bytes(str(number).encode() * (number % 7))
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("workers", [2, 3])
def test_worker_processes_give_what_one_process_gives(tmp_path: Path, workers: int) -> None:
    paths = many(tmp_path)
    alone, together = Files(), Files()
    expected = digests(alone, paths, workers=1)
    found = digests(together, paths, workers=workers)
    for one, other in zip(expected, found, strict=True):
        if isinstance(one, Unreadable):
            assert type(other) is type(one)
            assert (other.path, other.why) == (one.path, one.why)
        else:
            assert one == other
    assert together.bytes_read == alone.bytes_read


def test_what_a_copy_that_died_did_not_do_is_done_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = many(tmp_path)
    expected = digests(Files(), paths, workers=1)
    here, do = os.getpid(), Hashing._do
    died = tmp_path / "died"

    def take_a_part_and_die(self: Hashing, number: int) -> None:
        if os.getpid() != here:
            died.write_bytes(b"")
            os._exit(1)
        while not died.exists():
            time.sleep(0.01)
        do(self, number)

    monkeypatch.setattr(Hashing, "_do", take_a_part_and_die)
    found = digests(Files(), paths, workers=2)
    assert [d if isinstance(d, bytes) else d.why for d in found] == [
        d if isinstance(d, bytes) else d.why for d in expected
    ]


def test_the_end_of_the_work_ends_its_copies(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with open(big, "wb") as stream:
        stream.truncate(64 << 30)
    with Hashing(Files(), "", [str(big), *many(tmp_path)], workers=2) as hashing:
        (copy,) = hashing._copies
        assert os.waitpid(copy, os.WNOHANG) == (0, 0)
    with pytest.raises(ChildProcessError):
        os.waitpid(copy, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_only_what_is_not_as_expected_is_told(tmp_path: Path, workers: int) -> None:
    paths = many(tmp_path)
    expected = digests(Files(), paths, workers=1)
    odd = {5, 701, 1499}

    def equal(part: range, found: Sequence[Digest]) -> list[bool]:
        return [
            index not in odd and isinstance(one, bytes) and one == expected[index]
            for index, one in zip(part, found, strict=True)
        ]

    done: list[int] = []
    with Hashing(Files(), "", paths, workers, equal=equal, advance=done.append) as hashing:
        differing = dict(hashing.differing())
    missing = {index for index in range(1500) if index % 100 == 0}
    assert set(differing) == odd | missing
    assert all(differing[index] == expected[index] for index in odd)
    assert all(isinstance(differing[index], Missing) for index in missing)
    assert done == sorted(done)


def test_a_machine_without_room_for_a_copy_does_all_of_it_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = many(tmp_path)
    expected = digests(Files(), paths, workers=1)

    def refuse() -> int:
        raise OSError(11, "no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    found = digests(Files(), paths, workers=4)
    assert list(map(type, found)) == list(map(type, expected))
    assert [one for one in found if isinstance(one, bytes)] == [one for one in expected if isinstance(one, bytes)]


def test_a_process_with_threads_starts_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise AssertionError("forked beside a thread")

    monkeypatch.setattr(os, "fork", refuse)
    end = threading.Event()
    other = threading.Thread(target=end.wait)
    other.start()
    try:
        found = digests(Files(), many(tmp_path), workers=2)
    finally:
        end.set()
        other.join()
    assert len(found) == 1500
