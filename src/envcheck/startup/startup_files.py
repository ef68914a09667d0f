"""The ``.pth`` and ``.start`` files of site directories, read once: which are taken, and what stands in them."""

import stat

from envcheck.files.root import Files, Unreadable
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256
from envcheck.startup import pth
from envcheck.startup.encoding import Codec
from envcheck.startup.ledger import Ledger
from envcheck.startup.modules import Finders
from envcheck.startup.pth import Content
from envcheck.startup.rules import Rules

_UF_HIDDEN = 0x8000


class StartupFile(NamedTuple):
    """A ``.pth`` or ``.start`` file that was read."""

    path: str
    data: bytes
    sha256: str | None


class StartupFiles:
    """The startup files of one simulated start."""

    def __init__(self, files: Files, rules: Rules, codec: Codec, finders: Finders, ledger: Ledger) -> None:
        self._files = files
        self._rules = rules
        self._codec = codec
        self._finders = finders
        self._ledger = ledger
        self._read: dict[str, StartupFile | None] = {}
        self._contents: dict[str, Content] = {}

    def hidden(self, directory: str, name: str) -> bool:
        """Whether this CPython passes over a startup file for its leading dot or hidden attribute."""
        if not self._rules.hidden_skipped:
            return False
        if name.startswith("."):
            return True
        status = self._files.lstat(f"{directory}/{name}")
        return bool(getattr(status, "st_flags", 0) & _UF_HIDDEN)

    def open(self, path: str) -> StartupFile | None:
        """Read a startup file once; ``None`` where ``site`` passes over it. A FIFO makes the start hang."""
        if path not in self._read:
            self._read[path] = self.peek(path)
            status = None if self._finders.symbolic(path) else self._files.stat(path)
            if status is not None and stat.S_ISFIFO(status.st_mode):
                why = f"{path} is a FIFO: the start hangs"
                self._ledger.abort(path, None, why, f"only if something writes to {path}")
        return self._read[path]

    def read(self, path: str) -> StartupFile | None:
        """A file that CPython may or may not open here, read once."""
        if path not in self._read:
            self._read[path] = self.peek(path)
        return self._read[path]

    def peek(self, path: str) -> StartupFile | None:
        """Read a file that CPython does not open here; ``None`` where there is no regular file to read."""
        if self._finders.symbolic(path):
            self._files.miss(path, "leads to something of the running process, which no scan can read")
            return None
        status = self._files.stat(path)
        if status is None or stat.S_ISDIR(status.st_mode) or stat.S_ISSOCK(status.st_mode):
            return None
        if stat.S_ISFIFO(status.st_mode):
            return None
        limit = self._files.limits.startup
        try:
            data, size = self._files.read_part(path, limit)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return None
        if size > len(data):
            self._files.miss(path, f"larger than the bound of {limit:,} bytes: the rest was not read")
            return StartupFile(path, data, None)
        return StartupFile(path, data, sha256(data).hexdigest())

    def content(self, found: StartupFile) -> Content:
        """The lines of a ``.pth`` file."""
        if found.path not in self._contents:
            if pth.too_many_lines(found.data):
                self._files.miss(found.path, f"more than {pth.MAX_LINES:,} lines: the rest was not read")
            self._contents[found.path] = pth.read(found.data, self._rules, self._codec)
        return self._contents[found.path]
