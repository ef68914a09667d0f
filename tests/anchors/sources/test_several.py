"""Several archives at once: no more than a few, told in order, and nothing left behind when somebody has enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from envcheck.anchors.sources import find
from envcheck.anchors.sources.several import AT_ONCE
from envcheck.files.root import Files
from envcheck.model.anchor import Wanted
from support.looking import User, wanted_of
from support.scanning import environ
from support.servers import Answer, Server
from support.wheels import Wheel, build_wheel


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> list[Wheel]:
    directory = tmp_path_factory.mktemp("many")
    return [build_wheel(directory, f"part{number}", "1.0", {f"part{number}.py": ""}) for number in range(12)]


def wanted_all(server: Server, wheels: list[Wheel]) -> list[Wanted]:
    return [wanted_of(wheel, url=server.file_url(wheel)) for wheel in wheels]


class Counting:
    """An answer that waits until as many others as may be are being given too."""

    def __init__(self, wheel: Wheel, state: dict[str, Any]) -> None:
        self._body = wheel.path.read_bytes()
        self._state = state

    def __call__(self, stream: BinaryIO) -> None:
        state = self._state
        with state["lock"]:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
            if state["now"] == AT_ONCE:
                state["full"].set()
        if state["asked"]:
            state["full"].wait(20)
        state["asked"] = True
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self._body))
        with state["lock"]:
            state["now"] -= 1
        stream.write(self._body)


def test_a_few_are_fetched_at_once_and_never_more(server: Server, user: User, many: list[Wheel]) -> None:
    state: dict[str, Any] = {"now": 0, "most": 0, "asked": False, "lock": threading.Lock(), "full": threading.Event()}
    for wheel in many:
        server.routes[f"/files/{wheel.path.name}"] = Answer(write=Counting(wheel, state))
    wanted = wanted_all(server, many)
    assert list(find(Files(), wanted, user.places(fetch=True))) == wanted
    assert state["full"].is_set() and state["most"] == AT_ONCE
    assert threading.active_count() == 1 + sum(
        thread is not threading.main_thread() for thread in threading.enumerate()
    )
    assert len(os.listdir(user.fetched)) == len(many)


def test_what_is_told_does_not_depend_on_who_was_first(server: Server, user: User, many: list[Wheel]) -> None:
    server.serve(many[::2])
    wanted = wanted_all(server, many)
    told = []
    for number in range(3):
        problems: Any = []
        user.environ["XDG_CACHE_HOME"] = str(user.home / str(number))
        found = find(Files(), wanted, user.places(fetch=True), None, problems)
        assert list(found) == wanted[::2]
        told.append(problems)
    assert [one for one, _ in told[0]] == wanted[1::2]
    assert told[0] == told[1] == told[2]


def test_a_host_that_never_answers_is_told_alike_each_time(user: User, many: list[Wheel]) -> None:
    """One finds out, the others are told: nobody waits for each archive."""
    with Server() as gone:
        wanted = wanted_all(gone, many)
    told = []
    for _ in range(2):
        problems: Any = []
        assert find(Files(), wanted, user.places(fetch=True), None, problems) == {}
        told.append(sorted(why.rpartition("/")[0] if "refused" in why else why for _, why in problems))
    assert told[0] == told[1]
    assert sum("not asked again" in why for why in told[0]) == len(many) - 1


def test_an_index_page_is_read_once_for_all_of_its_archives(server: Server, user: User, tmp_path: Path) -> None:
    wheels = [build_wheel(tmp_path, "many", "1.0", {"m.py": tag}, tag=tag) for tag in ("py3-none-any", "py2-none-any")]
    server.serve(wheels)
    wanted = [wanted_of(wheel) for wheel in wheels]
    found = find(Files(), wanted, user.places(fetch=True, index_url=server.index))
    assert list(found) == wanted
    assert server.targets().count("/simple/many/") == 1


def test_who_has_enough_leaves_nothing_unfinished(
    server: Server, user: User, many: list[Wheel], tmp_path: Path
) -> None:
    """Ctrl-C while several archives come, none of them whole."""
    begun = threading.Semaphore(0)

    def half(stream: BinaryIO) -> None:
        stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)
        stream.flush()
        begun.release()
        server.end.wait(30)

    for wheel in many:
        server.routes[f"/files/{wheel.path.name}"] = Answer(write=half)
    lock = tmp_path / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n'
        + "".join(
            f'[[packages]]\nname = "{wheel.name}"\nversion = "1.0"\n[[packages.wheels]]\nname = "{wheel.path.name}"\n'
            f'url = "{server.file_url(wheel)}"\nhashes = {{sha256 = "{wheel.sha256}"}}\n'
            for wheel in many
        )
    )
    command = [sys.executable, "-m", "envcheck", "anchor", "--lock", str(lock), "--fetch"]
    process = subprocess.Popen(command, env=environ(user.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=30)
    while not any(part.stat().st_size for part in user.fetched.iterdir()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    # A thread that was just about to read gives up when the server does, after 30 seconds.
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and b"Traceback" not in errors, errors
    assert os.listdir(user.fetched) == []
    assert not (tmp_path / "envcheck.anchors").exists()
