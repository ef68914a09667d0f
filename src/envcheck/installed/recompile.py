"""Source bytes in, what a trusted interpreter compiles them to out, as marshalled bytes.

A helper process of that interpreter does it, started by absolute path with ``-I -S`` and no variables, in ``/``; or a
forked copy of this process, where the interpreter is the one that runs it. It opens no file of a target, imports
nothing but its own standard library, and executes nothing that it compiled. A file that kills it, or holds it up,
costs that file alone: the next one gets a new helper.
"""

import os
import select
import sys
from collections.abc import Callable

from envcheck.files.workers import can_copy
from envcheck.model.nouns import NamedTuple

PROGRAM = r"""
import os, sys, marshal
from _frozen_importlib_external import MAGIC_NUMBER
os.chdir("/")
cpu, memory = int(sys.argv[1]), int(sys.argv[2])
read, out = open(0, "rb", closefd=False).read, open(1, "wb", closefd=False)
try:
    import resource
    from time import process_time
    for name, value in (("RLIMIT_AS", memory), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (OSError, ValueError, AttributeError):
            pass
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
except ImportError:
    resource = None
def answer(kind, body):
    out.write(kind + len(body).to_bytes(4, "little") + body)
    out.flush()
def words(error):
    return (type(error).__name__ + ": " + str(error)).encode("utf-8", "backslashreplace")[:300]
answer(b"H", MAGIC_NUMBER + sys.version.split()[0].encode())
while True:
    head = read(5)
    if len(head) < 5:
        break
    source = read(int.from_bytes(head[1:], "little"))
    try:
        if resource:
            resource.setrlimit(resource.RLIMIT_CPU, (int(process_time()) + 1 + cpu, hard))
    except (OSError, ValueError):
        pass
    code = body = None
    try:
        code = compile(source, "/dev/null/source", "exec", dont_inherit=True, optimize=head[0])
    except (MemoryError, RecursionError, OverflowError) as error:
        kind, body = b"F", words(error)
    except (SyntaxError, ValueError) as error:
        kind, body = b"R", words(error)
        if b": unknown encoding" in body or b": encoding problem" in body:
            kind = b"F"
    except BaseException as error:
        kind, body = b"F", words(error)
    else:
        try:
            kind, body = b"C", marshal.dumps(code)
        except BaseException as error:
            kind, body = b"F", words(error)
    code = source = None
    answer(kind, body)
"""
"""Runs on 3.8 to 3.15. No file has the name that it compiles under: what CPython quotes in a message it reads there.

A source may be in an encoding that only startup code of its environment knows: then nothing can be said.
"""

_HEAD = 5
_SIGKILL = 9
"""Importing `signal` makes enumerations for a millisecond."""
_MOST_OPEN = 4096
"""Descriptors that a copy of this process closes; it opens far fewer."""


class Bounds(NamedTuple):
    """What one file may cost."""

    cpu: int = 20
    """Seconds of processor time, to whole seconds."""
    wait: float = 60.0
    """Seconds until an answer, whatever the processor does meanwhile."""
    memory: int = 1 << 30
    """Bytes of address space of the helper."""
    answer: int = 64 << 20
    """Bytes of compiled code."""


BOUNDS = Bounds()


class Compiled(NamedTuple):
    """What became of one source: exactly one is set."""

    code: bytes | None = None
    """Marshalled code."""
    refused: str | None = None
    """What the compiler says: it is no source."""
    failed: str | None = None
    """Why nothing can be said."""


class HelperError(Exception):
    """The helper ended, hangs, or says what no helper says; the text is one clause."""


class Helper:
    """A running helper. Raises `HelperError` when made of something that is no interpreter of Python."""

    def __init__(self, path: str, options: tuple[str, ...] = (), bounds: Bounds = BOUNDS, copied: bool = False) -> None:
        """``copied``: ``path`` runs this process, so that a copy of it will do."""
        self.path = path
        self.copied = copied and not options and can_copy()
        self._bounds = bounds
        self._process = 0
        self._reader = self._writer = -1
        if not hasattr(os, "posix_spawn"):
            raise HelperError("this system cannot start one")
        numbers = [str(bounds.cpu), str(bounds.memory)]
        try:
            if self.copied:
                self._copy(numbers)
            else:
                self._spawn(path, [path, "-I", "-S", "-B", "-W", "ignore", *options, "-c", PROGRAM, *numbers])
            kind, body = self._receive()
            if kind != b"H" or len(body) < 5 or body[2:4] != b"\r\n":
                raise HelperError("it is no interpreter of Python")
        except OSError as error:
            self.close()
            raise HelperError((error.strerror or "it cannot be started").lower()) from None
        except HelperError:
            self.close()
            raise
        self.magic = int.from_bytes(body[:2], "little")
        self.version = body[4:].decode("ascii", "replace")[:40]

    def send(self, source: bytes, optimize: int) -> None:
        """Begin with one source; `receive` gives what became of it."""
        self._write(bytes((optimize,)) + len(source).to_bytes(4, "little") + source)

    def receive(self) -> Compiled:
        """What became of the source that was sent."""
        kind, body = self._receive()
        if kind == b"C":
            return Compiled(code=body)
        text = body.decode("utf-8", "replace")
        return Compiled(refused=text) if kind == b"R" else Compiled(failed=text)

    def close(self) -> None:
        """End it: nothing of it is wanted any more."""
        for descriptor in (self._reader, self._writer):
            if descriptor >= 0:
                os.close(descriptor)
        self._reader = self._writer = -1
        if self._process:
            _kill(self._process)
        self._process = 0

    def _spawn(self, path: str, arguments: list[str]) -> None:
        import signal

        def start(theirs_in: int, theirs_out: int) -> int:
            return os.posix_spawn(
                path,
                arguments,
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs_in, 0),
                    (os.POSIX_SPAWN_DUP2, theirs_out, 1),
                    (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
                ],
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGXCPU),
            )

        self._connect(start)

    def _copy(self, numbers: list[str]) -> None:
        def start(theirs_in: int, theirs_out: int) -> int:
            process = os.fork()
            if process:
                return process
            try:
                os.dup2(theirs_in, 0)
                os.dup2(theirs_out, 1)
                # Pipes of ours that stayed open here would keep the helper from seeing their end; and it says nothing.
                os.closerange(2, _MOST_OPEN)
                sys.stderr = None
                sys.argv[:] = ["", *numbers]
                # Whoever calls this library may have made errors of the compiler's warnings.
                import warnings

                warnings.simplefilter("ignore")
                exec(PROGRAM, {})
            finally:
                os._exit(0)

        self._connect(start)

    def _connect(self, start: Callable[[int, int], int]) -> None:
        """Pipes to and from a process that ``start`` starts with its ends of them."""
        ours: list[int] = []
        try:
            for pair in (os.pipe(), os.pipe()):
                ours += map(_above_standard, pair)
            theirs_in, self._writer, self._reader, theirs_out = ours
            self._process = start(theirs_in, theirs_out)
        except OSError:
            for descriptor in ours:
                os.close(descriptor)
            self._reader = self._writer = -1
            raise
        os.close(theirs_in)
        os.close(theirs_out)
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if not select.select([], [self._writer], [], self._bounds.wait)[1]:
                raise HelperError("it does not read")
            try:
                left = left[os.write(self._writer, left) :]
            except BlockingIOError:
                continue
            except OSError:
                raise HelperError(self._ended()) from None

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._read(_HEAD)
        size = int.from_bytes(head[1:], "little")
        if size > self._bounds.answer:
            raise HelperError(f"the compiled code is larger than the bound of {self._bounds.answer:,} bytes")
        return head[:1], self._read(size)

    def _read(self, size: int) -> bytes:
        chunks = []
        while size:
            if not select.select([self._reader], [], [], self._bounds.wait)[0]:
                raise HelperError(f"it took more than {self._bounds.wait:g} seconds")
            try:
                chunk = os.read(self._reader, min(size, 1 << 20))
            except BlockingIOError:
                continue
            if not chunk:
                raise HelperError(self._ended())
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def _ended(self) -> str:
        """How the process came to its end, in words."""
        import signal

        status = _kill(self._process) if self._process else 0
        self._process = 0
        number = status & 0x7F
        if number == signal.SIGXCPU:
            return f"it took more than {self._bounds.cpu} seconds of processor time"
        return "it ended" + (f" by signal {number}" if number and number != signal.SIGKILL else "")


def _kill(process: int) -> int:
    """End a helper; the status that it ended with."""
    try:
        os.kill(process, _SIGKILL)
        return os.waitpid(process, 0)[1]
    except OSError:
        return 0


def _above_standard(descriptor: int) -> int:
    """The same pipe under a number that no standard stream has, for a process that was started without some."""
    if descriptor > 2:
        return descriptor
    copy = _above_standard(os.dup(descriptor))
    os.close(descriptor)
    return copy
