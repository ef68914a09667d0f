"""Work on many numbered items, shared between this process and forked copies of it.

Copies, because the interpreter's lock leaves threads little to win where most files are small. A copy executes no
program, and reads only what this process would have read. It takes part after part from a pipe that all share, and
leaves what came of each item in memory that all share; what a copy did not do, because it was killed or ran out of
memory, is done here.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable

_NUMBER = struct.Struct("=I")
_PIPE = 16_000
"""Parts whose numbers a pipe holds at once: 4 bytes each, of the 64 KiB that Linux gives it."""
_PIECE = 256 << 10


class Parts:
    """The numbers of the parts that nobody has taken: each is given to one process."""

    def __init__(self, count: int) -> None:
        assert count <= _PIPE
        self._reader, writer = os.pipe()
        try:
            os.write(writer, b"".join(map(_NUMBER.pack, range(count))))
        finally:
            os.close(writer)

    def take(self) -> int | None:
        """A part to work on; ``None`` when all are taken. A read this small is never split between processes."""
        number = os.read(self._reader, _NUMBER.size)
        return _NUMBER.unpack(number)[0] if number else None

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._reader)


def part_size(count: int, at_least: int) -> int:
    """How many items make a part, so that all parts have room in the pipe."""
    return max(at_least, -(-count // _PIPE))


def shared_memory(size: int) -> memoryview:
    """Zeroed bytes that copies of this process write to as well; they belong to no file."""
    import mmap

    return memoryview(mmap.mmap(-1, size))


def can_copy() -> bool:
    """Whether this process can be copied.

    A copy of a process with threads may wait for ever for a lock that one of them held.
    """
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() < 2)


def start_copy(work: Callable[[], None]) -> int | None:
    """The process of a copy that does some work and ends, or ``None`` where none can be started."""
    try:
        process = os.fork()
    except OSError:
        return None
    if process:
        return process
    # The copy: it must neither return nor say anything, whatever happens (Ctrl-C reaches it too).
    try:
        # Collecting garbage would write to every page that is still shared: only among what is made from here on.
        import gc

        gc.freeze()
        work()
    finally:
        os._exit(0)


def wait_for(process: int) -> None:
    """Until a copy has ended."""
    try:
        os.waitpid(process, 0)
    except ChildProcessError:
        return


def stop(process: int) -> None:
    """End a copy whose work is not wanted any more."""
    import signal

    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return
    wait_for(process)


class Aside:
    """One piece of work that a copy of this process does, while this one goes on; its result comes through a pipe.

    Used until `take`, or stopped. A copy that is killed, or runs out of memory, gives no result.
    """

    def __init__(self, work: Callable[[], bytes]) -> None:
        """``work`` gives the result, which is not empty. Where no copy can be started, there is none."""
        self._process: int | None = None
        self._reader, self._writer = -1, -1
        if not can_copy():
            return
        try:
            self._reader, self._writer = os.pipe()
        except OSError:
            return
        self._process = start_copy(lambda: self._write(work()))
        os.close(self._writer)

    def take(self) -> bytes | None:
        """The result, waited for; ``None`` where none came, or only a part of it. To be called once."""
        if self._process is None:
            self.stop()
            return None
        pieces = []
        while piece := os.read(self._reader, _PIECE):
            pieces.append(piece)
        wait_for(self._process)
        self._process = None
        self.stop()
        data = b"".join(pieces)
        size = _NUMBER.size
        whole = len(data) > size and _NUMBER.unpack(data[:size])[0] == len(data) - size
        return data[size:] if whole else None

    def stop(self) -> None:
        """End the copy."""
        if self._process is not None:
            stop(self._process)
            self._process = None
        if self._reader >= 0:
            os.close(self._reader)
            self._reader = -1

    def _write(self, result: bytes) -> None:
        """In the copy: the size first, so that a part is never taken for the whole."""
        os.close(self._reader)
        left = memoryview(_NUMBER.pack(len(result)) + result)
        while left:
            left = left[os.write(self._writer, left) :]


class Results:
    """Results of a fixed size, one for each numbered item, made by copies of this process and by this one.

    Copies begin at once; `take` does with them what is left. Used in a ``with`` statement, or stopped.
    """

    def __init__(self, count: int, size: int, work: Callable[[int], bytes], workers: int) -> None:
        """``work`` gives an item's result, of at most ``size`` bytes and not empty; it raises nothing."""
        self._count, self._size, self._work = count, size, work
        self._copies: list[int] = []
        self._parts: Parts | None = None
        self._found = memoryview(bytearray(count * (size + 1)))
        if workers < 2 or count < 2 or count > _PIPE or not can_copy():
            return
        try:
            self._parts = Parts(count)
            self._found = shared_memory(count * (size + 1))
        except OSError:
            self.stop()
            return
        for _ in range(min(workers, count) - 1):
            process = start_copy(self._share_work)
            if process is not None:
                self._copies.append(process)

    def take(self) -> list[bytes]:
        """The result of each item, in order; to be called once."""
        self._share_work()
        for process in self._copies:
            wait_for(process)
        self._copies.clear()
        row = self._size + 1
        for number in range(self._count):
            if not self._found[number * row]:
                # Nobody's, or that of a copy which ended before it was done.
                self._do(number)
        found = self._found.tobytes()
        return [found[at + 1 : at + 1 + self._size] for at in range(0, len(found), row)]

    def stop(self) -> None:
        """End the copies."""
        for process in self._copies:
            stop(process)
        self._copies.clear()
        if self._parts is not None:
            self._parts.close()
            self._parts = None

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _share_work(self) -> None:
        while self._parts is not None and (number := self._parts.take()) is not None:
            self._do(number)

    def _do(self, number: int) -> None:
        """One item; that it is done is noted last."""
        at = number * (self._size + 1)
        result = self._work(number)
        self._found[at + 1 : at + 1 + len(result)] = result
        self._found[at] = 1
