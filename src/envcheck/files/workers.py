"""Work on many numbered items, shared between this process and forked copies of it.

Copies, because the interpreter's lock leaves threads little to win where most files are small. A copy executes no
program, and reads only what this process would have read. It takes part after part from a pipe that all share, and
leaves what came of each item in memory that all share; what a copy did not do, because it was killed or ran out of
memory, is done here.
"""

import os
import struct
import sys
from collections.abc import Callable

_NUMBER = struct.Struct("=I")
_PIPE = 16_000
"""Parts whose numbers a pipe holds at once: 4 bytes each, of the 64 KiB that Linux gives it."""


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
