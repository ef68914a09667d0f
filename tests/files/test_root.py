"""`Files`: this machine's file system, and another's that is mounted at a directory."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envcheck.files.limits import Limits
from envcheck.files.root import Files, Missing, Unreadable


class Machine:
    """A tree, and how its paths are spelt when it is read live or as a mounted root."""

    def __init__(self, top: Path, rooted: bool, limits: Limits | None = None) -> None:
        self.top = top
        self.rooted = rooted
        self.files = Files(str(top) if rooted else None, limits)

    def path(self, relative: str) -> str:
        return "/" + relative if self.rooted else str(self.top / relative)

    def bounded(self, **limits: int) -> Files:
        return Files(self.files.root, Limits()._replace(**limits))


@pytest.fixture(params=["live", "rooted"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    top = tmp_path / "top"
    top.mkdir()
    return Machine(top, request.param == "rooted")


@pytest.fixture
def rooted(tmp_path: Path) -> Machine:
    top = tmp_path / "top"
    top.mkdir()
    (tmp_path / "secret").write_text("outside")
    return Machine(top, True)


# Regular files


def test_reads_a_file_and_counts_its_bytes(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"content")
    assert machine.files.read(machine.path("a")) == b"content"
    assert machine.files.bytes_read == 7
    assert machine.files.not_seen == ()


def test_facts_about_a_file_a_directory_and_nothing(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"x")
    (machine.top / "d").mkdir()
    files = machine.files
    assert files.is_file(machine.path("a"))
    assert not files.is_dir(machine.path("a"))
    assert files.is_dir(machine.path("d"))
    assert not files.is_file(machine.path("d"))
    assert files.exists(machine.path("a"))
    assert not files.exists(machine.path("none"))
    assert files.stat(machine.path("none")) is None
    assert files.lstat(machine.path("none/below")) is None
    assert files.lstat(machine.path("a/below")) is None


def test_a_missing_file_is_missing_and_not_merely_unreadable(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"x")
    for path in ("none", "none/below", "a/below"):
        with pytest.raises(Missing):
            machine.files.read(machine.path(path))
    with pytest.raises(Missing):
        machine.files.listdir(machine.path("none"))


@pytest.mark.parametrize("path", ["/a\0b", "a\0b", "/" + "x" * 5000, "/\ud800"])
def test_a_path_that_no_file_can_have_raises_nothing_else_than_unreadable(machine: Machine, path: str) -> None:
    for read in (machine.files.read, machine.files.listdir, machine.files.readlink):
        with pytest.raises(Unreadable):
            read(path)
    assert machine.files.stat(path) is None
    assert machine.files.lstat(path) is None
    assert not machine.files.is_file(path)
    assert list(machine.files.walk(path)) == []


def test_names_that_are_not_utf_8_are_read_with_surrogate_escapes(machine: Machine) -> None:
    name = b"caf\xe9\xff"
    with open(os.path.join(os.fsencode(machine.top), name), "wb") as stream:
        stream.write(b"x")
    (found,) = machine.files.names(machine.path(""))
    assert os.fsencode(found) == name
    assert machine.files.read(machine.path(found)) == b"x"


def test_a_directory_is_no_content(machine: Machine) -> None:
    (machine.top / "d").mkdir()
    with pytest.raises(Unreadable, match="directory"):
        machine.files.read(machine.path("d"))


# Bounds


def test_a_file_over_the_bound_is_refused_whole_and_read_in_part(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"0123456789")
    with pytest.raises(Unreadable, match="larger than the bound of 4 bytes"):
        machine.files.read(machine.path("a"), 4)
    assert machine.files.read_part(machine.path("a"), 4) == (b"0123", 10)
    assert machine.files.read_part(machine.path("a"), 4, offset=8) == (b"89", 10)
    assert machine.files.read_part(machine.path("a"), 4, offset=20)[0] == b""
    assert machine.files.read(machine.path("a"), 10) == b"0123456789"


def test_the_default_bound_holds_for_a_sparse_file_of_many_gigabytes(machine: Machine) -> None:
    with open(machine.top / "huge", "wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(Unreadable, match="larger than the bound"):
        machine.files.read(machine.path("huge"))
    assert machine.files.bytes_read <= Limits().small


def test_a_file_that_grows_while_it_is_read_counts_as_larger_than_what_was_returned(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine.top / "log"
    path.write_bytes(b"12345678")
    real = os.read

    def grow_and_read(fd: int, size: int) -> bytes:
        with open(path, "ab") as stream:
            stream.write(b"more")
        return real(fd, size)

    monkeypatch.setattr(os, "read", grow_and_read)
    data, size = machine.files.read_part(machine.path("log"), 8)
    assert data == b"12345678"
    assert size > 8


def test_a_file_of_proc_that_says_it_is_empty_is_still_bounded() -> None:
    files = Files()
    data, size = files.read_part("/proc/self/status", 16)
    assert len(data) == 16
    assert size > 16
    with pytest.raises(Unreadable):
        files.read("/proc/self/status", 16)


# What is no regular file


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    # A path of a socket may have 107 bytes at most.
    here = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("the right to make device files is missing")


@pytest.mark.parametrize(("make", "word"), [(fifo, "FIFO"), (unix_socket, "socket"), (device, "character device")])
@pytest.mark.parametrize("linked", [False, True], ids=["named", "through a link"])
def test_what_is_no_regular_file_is_told_and_never_opened(
    machine: Machine, make: Callable[[Path], None], word: str, linked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(machine.top / "odd")
    (machine.top / "link").symlink_to("odd")
    opened: list[str] = []
    real = os.open

    def watched(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if not flags & (os.O_DIRECTORY | os.O_PATH):  # neither opens what it names unless it is a directory
            opened.append(os.path.basename(path))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", watched)
    name = "link" if linked else "odd"
    with pytest.raises(Unreadable, match=f"is a {word}"):
        machine.files.read(machine.path(name))
    with pytest.raises(Unreadable):
        machine.files.listdir(machine.path(name))
    assert opened == []
    assert not machine.files.is_file(machine.path(name))
    assert not machine.files.is_dir(machine.path(name))
    kinds = dict(machine.files.listdir(machine.path("")))
    assert kinds == {"odd": "other", "link": "link"}


def test_a_fifo_that_takes_the_place_of_a_file_after_it_was_looked_at_does_not_hang(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.top / "regular").write_bytes(b"x")
    found = os.stat(machine.top / "regular")
    os.mkfifo(machine.top / "raced")
    monkeypatch.setattr(machine.files, "stat", lambda path: found)
    with pytest.raises(Unreadable, match="FIFO"):
        machine.files.read(machine.path("raced"))


# Links


def test_links_are_followed_and_resolved(machine: Machine) -> None:
    (machine.top / "d").mkdir()
    (machine.top / "d/a").write_bytes(b"x")
    (machine.top / "link").symlink_to("d/a")
    (machine.top / "dir").symlink_to("d")
    files = machine.files
    assert files.read(machine.path("link")) == b"x"
    assert files.read(machine.path("dir/a")) == b"x"
    assert files.readlink(machine.path("link")) == "d/a"
    assert files.is_link(machine.path("link"))
    assert not files.is_link(machine.path("dir/a"))
    assert files.names(machine.path("dir")) == ["a"]
    real = machine.files.realpath(machine.path("dir/a"))
    assert real == ("/d/a" if machine.rooted else os.path.realpath(machine.top / "d/a"))
    assert files.realpath(machine.path("d/none/../a")).endswith("/d/a")


def test_not_following_refuses_a_link(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"x")
    (machine.top / "link").symlink_to("a")
    with pytest.raises(Unreadable):
        machine.files.open(machine.path("link"), follow=False)
    fd, found = machine.files.open(machine.path("a"), follow=False)
    os.close(fd)
    assert found.st_size == 1


def test_a_loop_of_links_is_unreadable_and_nothing_worse(machine: Machine) -> None:
    (machine.top / "one").symlink_to("two")
    (machine.top / "two").symlink_to("one")
    (machine.top / "self").symlink_to("self")
    for name in ("one", "self", "self/below"):
        with pytest.raises(Unreadable):
            machine.files.read(machine.path(name))
        with pytest.raises(Unreadable):
            machine.files.listdir(machine.path(name))
        assert machine.files.stat(machine.path(name)) is None
    assert machine.files.is_link(machine.path("one"))


def test_a_dangling_link_is_a_link_to_nothing(machine: Machine) -> None:
    (machine.top / "link").symlink_to("gone")
    assert machine.files.is_link(machine.path("link"))
    assert not machine.files.exists(machine.path("link"))
    with pytest.raises(Unreadable):
        machine.files.read(machine.path("link"))


def test_an_absolute_link_on_a_mounted_machine_stays_on_that_machine(rooted: Machine) -> None:
    (rooted.top / "etc").mkdir()
    (rooted.top / "etc/passwd").write_text("theirs")
    (rooted.top / "link").symlink_to("/etc/passwd")
    (rooted.top / "dir").symlink_to("/etc")
    assert rooted.files.read("/link") == b"theirs"
    assert rooted.files.read("/dir/passwd") == b"theirs"
    assert rooted.files.realpath("/dir/passwd") == "/etc/passwd"
    assert rooted.files.readlink("/link") == "/etc/passwd"


@pytest.mark.parametrize(
    "target",
    ["../secret", "../../../../../../../../{outside}", "/{outside}", "d/../../secret", "/proc/self/root{outside}"],
)
def test_no_link_leads_out_of_a_mounted_root(rooted: Machine, target: str) -> None:
    outside = str(rooted.top.parent / "secret")
    (rooted.top / "d").mkdir()
    (rooted.top / "link").symlink_to(target.format(outside=outside))
    with pytest.raises(Unreadable):
        rooted.files.read("/link")
    (rooted.top / "dir").symlink_to(os.path.dirname(target.format(outside=outside)))
    with pytest.raises(Unreadable):
        rooted.files.read("/dir/secret")


@pytest.mark.parametrize("path", ["/../secret", "/../../../../../etc/passwd", "/d/../../secret", "secret", "../secret"])
def test_no_dots_lead_out_of_a_mounted_root(rooted: Machine, path: str) -> None:
    (rooted.top / "d").mkdir()
    with pytest.raises(Unreadable):
        rooted.files.read(path)
    assert rooted.files.stat(path) is None
    assert rooted.files.lstat(path) is None


def test_the_root_itself_can_be_listed_and_described(rooted: Machine) -> None:
    (rooted.top / "a").write_bytes(b"x")
    assert rooted.files.names("/") == ["a"]
    assert rooted.files.is_dir("/")
    assert rooted.files.realpath("/") == "/"
    assert rooted.files.realpath("/..") == "/"


def test_a_directory_exchanged_for_a_link_while_it_is_opened_is_not_followed(
    rooted: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classic race: the path was resolved, then one of its directories becomes a link that leaves the root."""
    (rooted.top / "d").mkdir()
    (rooted.top / "d/secret").write_text("inside")
    resolve = rooted.files.realpath

    def resolved_then_exchanged(path: str) -> str:
        found = resolve(path)
        if not (rooted.top / "d").is_symlink():
            os.rename(rooted.top / "d", rooted.top / "was")
            (rooted.top / "d").symlink_to("..")
        return found

    monkeypatch.setattr(rooted.files, "realpath", resolved_then_exchanged)
    with pytest.raises(Unreadable):
        rooted.files.read("/d/secret")


def test_descriptors_are_closed_again(machine: Machine) -> None:
    (machine.top / "a").write_bytes(b"x")
    (machine.top / "loop").symlink_to("loop")
    (machine.top / "d").mkdir()
    machine.files.exists(machine.path("a"))
    before = len(os.listdir("/proc/self/fd"))
    for path in ("a", "loop", "none", "d", "d/none", "a/b", "d/../a"):
        machine.files.stat(machine.path(path))
        machine.files.lstat(machine.path(path))
        for read in (machine.files.read, machine.files.listdir, machine.files.readlink, machine.files.realpath):
            with contextlib.suppress(Unreadable):
                read(machine.path(path))
    assert len(os.listdir("/proc/self/fd")) == before


# Directories


def test_entries_are_sorted_and_carry_their_kind(machine: Machine) -> None:
    for name in ("b", "a", "B"):
        (machine.top / name).write_bytes(b"")
    (machine.top / "d").mkdir()
    assert [tuple(entry) for entry in machine.files.listdir(machine.path(""))] == [
        ("B", "file"),
        ("a", "file"),
        ("b", "file"),
        ("d", "dir"),
    ]


def test_a_walk_goes_depth_first_in_name_order_and_enters_no_link(machine: Machine) -> None:
    for directory in ("b", "a/x", "a/w"):
        (machine.top / directory).mkdir(parents=True)
    (machine.top / "a/file").write_bytes(b"")
    (machine.top / "up").symlink_to(".")
    (machine.top / "a/out").symlink_to("/")
    os.mkfifo(machine.top / "fifo")
    top = machine.path("").rstrip("/") or "/"
    walked = list(machine.files.walk(top))
    assert [found.path[len(top.rstrip("/")) :] for found in walked] == ["", "/a", "/a/w", "/a/x", "/b"] or [
        found.path for found in walked
    ] == ["/", "/a", "/a/w", "/a/x", "/b"]
    assert walked[0].links == ["up"]
    assert walked[0].others == ["fifo"]
    assert walked[1].links == ["out"]
    assert walked[1].files == ["file"]


def test_a_caller_keeps_a_walk_out_of_directories(machine: Machine) -> None:
    (machine.top / "in/below").mkdir(parents=True)
    (machine.top / "out/below").mkdir(parents=True)
    names = []
    for directory in machine.files.walk(machine.path("")):
        names.append(os.path.basename(directory.path))
        if "out" in directory.dirs:
            directory.dirs.remove("out")
    assert names[1:] == ["in", "below"]


def test_a_walk_past_a_bound_stops_and_says_so(machine: Machine) -> None:
    for number in range(10):
        (machine.top / f"d{number}").mkdir()
        (machine.top / f"d{number}/file").write_bytes(b"")
    files = machine.bounded(entries=12)
    assert len(list(files.walk(machine.path("")))) < 11
    assert "rest was not read" in files.not_seen[0].why


def test_a_directory_with_too_many_entries_is_read_in_part_and_told(machine: Machine) -> None:
    for number in range(10):
        (machine.top / str(number)).write_bytes(b"")
    files = machine.bounded(entries=4)
    assert len(files.listdir(machine.path(""))) == 4
    assert "rest was not read" in files.not_seen[0].why


def test_a_walk_goes_only_so_deep_and_says_so(machine: Machine) -> None:
    deep = machine.top
    for _ in range(8):
        deep = deep / "d"
        deep.mkdir()
    files = machine.bounded(depth=3)
    assert len(list(files.walk(machine.path("")))) == 4
    assert "deep" in files.not_seen[0].why


def test_a_directory_that_disappears_during_a_walk_is_passed_over(machine: Machine) -> None:
    for name in ("a", "b"):
        (machine.top / name).mkdir()
    found = []
    for directory in machine.files.walk(machine.path("")):
        found.append(os.path.basename(directory.path))
        if directory.dirs:
            (machine.top / "b").rmdir()
    assert found[1:] == ["a"]


# What was not seen


def test_what_was_not_seen_is_noted_once_and_sorted() -> None:
    files = Files()
    for path in ("/b", "/a", "/b"):
        files.miss(path, "permission denied")
    assert [missed.path for missed in files.not_seen] == ["/a", "/b"]


@pytest.fixture
def forbidden(machine: Machine) -> Iterator[Machine]:
    """A directory and a file that may not be read; as root only the refusal itself can be made."""
    (machine.top / "d").mkdir()
    (machine.top / "f").write_bytes(b"x")
    if os.geteuid() == 0:
        real = os.open

        def refuse(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if os.path.basename(path) in ("d", "f") and not flags & getattr(os, "O_PATH", 0):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real(path, flags, mode, dir_fd=dir_fd)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "open", refuse)
            yield machine
    else:
        (machine.top / "d").chmod(0)
        (machine.top / "f").chmod(0)
        yield machine
        (machine.top / "d").chmod(0o700)


def test_a_refusal_is_noted_in_words(forbidden: Machine) -> None:
    assert forbidden.files.names(forbidden.path("d")) == []
    (missed,) = forbidden.files.not_seen
    assert missed == (forbidden.path("d"), "permission denied")
    with pytest.raises(Unreadable, match="permission denied") as refused:
        forbidden.files.read(forbidden.path("f"))
    assert not isinstance(refused.value, Missing)


def test_a_refusal_of_o_noatime_is_tried_again_without_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a file's owner may ask for it (open(2))."""
    if not hasattr(os, "O_NOATIME"):
        pytest.skip("O_NOATIME is missing here")
    (machine.top / "a").write_bytes(b"x")
    real = os.open

    def not_the_owner(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_NOATIME:
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", not_the_owner)
    assert machine.files.read(machine.path("a")) == b"x"
    assert machine.files.names(machine.path("")) == ["a"]


def test_reading_leaves_access_times_alone(machine: Machine) -> None:
    if not hasattr(os, "O_NOATIME"):
        pytest.skip("O_NOATIME is missing here")
    (machine.top / "a").write_bytes(b"x")
    for path in (machine.top / "a", machine.top):
        os.utime(path, (1, os.stat(path).st_mtime))
    machine.files.read(machine.path("a"))
    machine.files.listdir(machine.path(""))
    assert os.stat(machine.top / "a").st_atime == 1
    assert os.stat(machine.top).st_atime == 1


def test_a_root_of_one_slash_is_this_machine() -> None:
    assert Files("/").root is None


def test_two_threads_read_one_root(rooted: Machine) -> None:
    """Digests are taken by several threads over one `Files`."""
    (rooted.top / "d/e").mkdir(parents=True)
    (rooted.top / "d/e/a").write_bytes(b"x" * 1000)
    (rooted.top / "link").symlink_to("d/e")
    wrong: list[object] = []

    def work() -> None:
        for _ in range(200):
            if rooted.files.read("/link/a") != b"x" * 1000:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
