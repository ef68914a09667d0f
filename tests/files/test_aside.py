"""Work that a copy of this process does: its result comes whole, or not at all."""

from __future__ import annotations

import os
import signal

import pytest

from envcheck.files.workers import Aside, can_copy

pytestmark = pytest.mark.skipif(not can_copy(), reason="this process cannot be copied here")


def test_the_result_comes_whole_though_it_is_larger_than_a_pipe() -> None:
    result = bytes(range(256)) * 10_000
    assert Aside(lambda: result).take() == result


def test_the_work_is_done_by_another_process() -> None:
    told = Aside(lambda: str(os.getpid()).encode()).take()
    assert told is not None
    assert int(told) != os.getpid()


def test_a_copy_that_is_killed_gives_nothing() -> None:
    def killed() -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b"never"

    assert Aside(killed).take() is None


def test_a_part_is_not_taken_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def cut_short(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data)[:7])
        os._exit(0)

    monkeypatch.setattr(os, "write", cut_short)
    assert Aside(lambda: b"0123456789").take() is None


def test_a_copy_whose_result_is_not_wanted_is_ended() -> None:
    aside = Aside(lambda: signal.pause() or b"never")
    aside.stop()
    assert aside.take() is None
