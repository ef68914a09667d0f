"""Hashing by forked copies of this process, which send their digests back through pipes.

Copies, because the interpreter's lock leaves threads little to win where most files are small. A copy executes no
program, and reads only what this process would have read. Where copying is not possible all is done here.
"""

import contextlib
import os
import select
import signal
import struct
import sys
from collections.abc import Callable, Sequence

from envcheck.files.digests import Digest, Digested
from envcheck.files.root import Missing, Unreadable

Work = Callable[[Sequence[int]], Digested]
"""The digests of some paths, by their indexes."""

_HEAD = struct.Struct("=IBI")
"""Index, kind and length of what follows: a digest, or a path and a reason that a NUL parts."""
_DIGEST, _UNREADABLE, _MISSING, _END = 0, 1, 2, 3


class Copy:
    """A copy of this process at work on its part."""

    def __init__(self, process: int, reader: int, work: Work, part: Sequence[int]) -> None:
        self._process = process
        self._work = work
        self._part = part
        self.reader = reader

    def is_done(self) -> bool:
        """Whether it has begun to send, or ended."""
        return bool(select.select([self.reader], [], [], 0)[0])

    def stop(self) -> None:
        """End it; its digests are not wanted any more."""
        with contextlib.suppress(OSError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        with contextlib.suppress(OSError):
            os.close(self.reader)

    def receive(self) -> Digested:
        """Its digests; what it did not send, because it was killed or ran out of memory, is worked on here."""
        done = _receive(self._process, self.reader)
        left = [index for index in self._part if index not in done.digests]
        if left:
            again = self._work(left)
            done = Digested({**done.digests, **again.digests}, done.bytes_read + again.bytes_read)
        return done


def start_copy(work: Work, part: Sequence[int], running: Sequence[Copy]) -> Copy | None:
    """A copy at work, or ``None`` where none can be started. ``running`` are those whose pipes are open here."""
    if not hasattr(os, "fork") or _has_threads():
        return None
    try:
        reader, writer = os.pipe()
    except OSError:
        return None
    try:
        process = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return None
    if process:
        os.close(writer)
        return Copy(process, reader, work, part)
    # The copy: it must neither return nor say anything, whatever happens (Ctrl-C reaches it too).
    try:
        for pipe in (reader, *(copy.reader for copy in running)):
            os.close(pipe)
        _send(writer, work(part))
    finally:
        os._exit(0)


def _has_threads() -> bool:
    """A copy of a process with threads may wait for ever for a lock that one of them held."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _send(writer: int, done: Digested) -> None:
    pieces = []
    for index, digest in done.digests.items():
        if isinstance(digest, bytes):
            pieces.append(_HEAD.pack(index, _DIGEST, len(digest)) + digest)
        else:
            text = f"{digest.path}\0{digest.why}".encode("utf-8", "surrogatepass")
            kind = _MISSING if isinstance(digest, Missing) else _UNREADABLE
            pieces.append(_HEAD.pack(index, kind, len(text)) + text)
    pieces.append(_HEAD.pack(0, _END, 8) + struct.pack("=Q", done.bytes_read))
    left = memoryview(b"".join(pieces))
    while left:
        left = left[os.write(writer, left) :]


def _receive(process: int, reader: int) -> Digested:
    """What a copy sent until it ended."""
    chunks = []
    while chunk := os.read(reader, 1 << 20):
        chunks.append(chunk)
    os.close(reader)
    os.waitpid(process, 0)
    data = b"".join(chunks)
    found: dict[int, Digest] = {}
    read = at = 0
    while at + _HEAD.size <= len(data):
        index, kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        body = data[at : at + length]
        at += length
        if len(body) < length:
            break
        if kind == _DIGEST:
            found[index] = body
        elif kind == _END:
            read = int.from_bytes(body, sys.byteorder)
        else:
            path, _, why = body.decode("utf-8", "surrogatepass").partition("\0")
            found[index] = (Missing if kind == _MISSING else Unreadable)(path, why)
    return Digested(found, read)
