"""Blocks of hashing shared among forked copies of this process, which send their digests back through pipes.

Copies, because the interpreter's lock leaves threads little to win where most files are small. A copy executes no
program, and reads only what this process would have read. Where copying is not possible there is no sharing.
"""

import os
import struct
import sys
from collections.abc import Callable, Sequence

from envcheck.files.digests import Digest, Digested
from envcheck.files.root import Missing, Unreadable

Work = Callable[[Sequence[range]], Digested]

_HEAD = struct.Struct("=IBI")
"""Index, kind and length of what follows: a digest, or a path and a reason that a NUL parts."""
_DIGEST, _UNREADABLE, _MISSING, _END = 0, 1, 2, 3


def share(work: Work, blocks: Sequence[range], workers: int) -> Digested | None:
    """``work`` on all blocks, every ``workers``-th by one process; ``None`` where no process can be started.

    What a copy did not send, because it was killed or ran out of memory, is worked on here.
    """
    if not hasattr(os, "fork") or _has_threads():
        return None
    started: list[tuple[int, int, Sequence[range]]] = []
    for number in range(1, workers):
        part = blocks[number::workers]
        if part:
            copy = _start(work, part, [pipe for _, pipe, _ in started])
            if copy is None:
                break
            started.append((*copy, part))
    if not started:
        return None
    taken = {index for _, _, part in started for block in part for index in block}
    mine = [block for block in blocks if block.start not in taken]
    found = work(mine)
    digests, read = dict(found.digests), found.bytes_read
    for process, pipe, part in started:
        done = _receive(process, pipe)
        left = [block for block in part if any(index not in done.digests for index in block)]
        if left:
            again = work(left)
            done = Digested({**done.digests, **again.digests}, done.bytes_read + again.bytes_read)
        digests.update(done.digests)
        read += done.bytes_read
    return Digested(digests, read)


def _has_threads() -> bool:
    """A copy of a process with threads may wait for ever for a lock that one of them held."""
    threading = sys.modules.get("threading")
    return threading is not None and threading.active_count() > 1


def _start(work: Work, part: Sequence[range], pipes: Sequence[int]) -> tuple[int, int] | None:
    """A copy that works on its part: its process and the pipe to read from."""
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
        return process, reader
    # The copy: it must neither return nor say anything, whatever happens (Ctrl-C reaches it too).
    try:
        for pipe in (reader, *pipes):
            os.close(pipe)
        _send(writer, work(part))
    finally:
        os._exit(0)


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
