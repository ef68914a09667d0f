"""A pip requirements file, with what it includes (``-r``, ``-c``), into a Lock.

Lines are joined, stripped of comments and split into requirement and options as pip does it
(pip/_internal/req/req_file.py). A line that cannot be read becomes a problem of the lock, never nothing. Environment
variables are left as they stand: what they held when somebody installed is not known here.
"""

import os

from envcheck.files.root import Files, Unreadable
from envcheck.locks.archives import without_credentials
from envcheck.locks.entries import Line, options, read_line
from envcheck.locks.quality import plain_index
from envcheck.locks.requirement_lines import decode, logical_lines
from envcheck.locks.tables import Wrong
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock, LockedPackage, LockProblem
from envcheck.model.nouns import NamedTuple

MAX_DEPTH = 16
MAX_FILES = 200
MAX_LINES = 200_000
MAX_BYTES = 8 << 20
"""Of a file and those that it includes; one with the hashes of 335 packages has half a million."""

_SHOWN = 80


def read_requirements(files: Files, path: str, data: bytes, sha256: str) -> Lock:
    """The Lock of a requirements file. Raises `LockError` where a file it includes cannot be read."""
    reading = _Reading(files, path)
    reading.file(path, data, False, ())
    packages = tuple(reading.packages)
    if not packages and reading.problems:
        first = reading.problems[0]
        raise LockError(first.message, "no line of it can be read: is it a requirements file?")
    hashed = reading.require_hashes or any(hashes_of(package) for package in packages)
    required = [package for package in packages if not package.constraint]
    return Lock(
        path=path,
        format="requirements",
        sha256=sha256,
        packages=packages,
        roots=tuple(dict.fromkeys(p.name for p in required if p.name and p.source_kind in ("editable", "directory"))),
        problems=tuple(reading.problems),
        default_groups=(),
        requires_hashes=hashed,
        complete=hashed or all(is_pinned(package) for package in required),
    )


def is_pinned(package: LockedPackage) -> bool:
    """Whether an entry names one version, or one archive, directory or commit."""
    return package.version is not None or package.source_kind != "registry"


def hashes_of(package: LockedPackage) -> bool:
    """Whether an entry from an index has hashes (one in a URL's fragment does not switch pip's hash mode on)."""
    return package.source_kind in ("registry", "url", "path") and any(
        artifact.hashes and artifact.url is None for artifact in package.artifacts
    )


class _Include(NamedTuple):
    """A file to read in the place of a line."""

    path: str
    constraint: bool
    where: str


class _Reading:
    """What is known while a file and those it includes are read."""

    def __init__(self, files: Files, path: str) -> None:
        self.files = files
        self.directory = os.path.dirname(path)
        self.packages: list[LockedPackage] = []
        self.problems: list[LockProblem] = []
        self.require_hashes = False
        self.markers: set[str] = set()
        self._files = 0
        self._lines = 0
        self._bytes = 0

    def shown(self, path: str) -> str:
        """A file as messages call it: relative to the directory of the file that was named."""
        return os.path.relpath(path, self.directory) if path.startswith("/") else path

    def file(self, path: str, data: bytes, constraint: bool, above: tuple[str, ...]) -> None:
        """Read one file's lines; ``above`` are the files that led here."""
        shown = self.shown(path)
        self._files += 1
        if self._files > MAX_FILES:
            raise LockError(
                f"{shown}: more than {MAX_FILES} files include one another", "name a flat requirements file"
            )
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            raise LockError(f"{shown}: more than {MAX_BYTES:,} bytes", "name a smaller requirements file")
        try:
            text = decode(data)
        except Wrong as error:
            raise LockError(f"{shown}: {error.why}", "save it as UTF-8") from None
        for number, line in logical_lines(text):
            self._lines += 1
            if self._lines > MAX_LINES:
                raise LockError(f"{shown}:{number}: more than {MAX_LINES:,} lines", "name a smaller requirements file")
            where = f"line {number}" if not above else f"{shown} line {number}"
            try:
                self.line(line, where, path, constraint, (*above, path))
            except Wrong as error:
                quoted = without_credentials(line if len(line) <= _SHOWN else line[:_SHOWN] + "…")
                message = f"{shown}:{number}: {error.why}: {quoted!r}"
                self.problems.append(LockProblem("lock-unreadable-entry", where, message))

    def line(self, line: str, where: str, path: str, constraint: bool, above: tuple[str, ...]) -> None:
        """Take one logical line. Raises `Wrong` for one that cannot be read."""
        arguments, given = options(line)
        base = os.path.dirname(path)
        if arguments or given.editable:
            package = read_line(self.files, Line(arguments, given, where, base, constraint), self.markers)
            self.packages.append(package)
            return
        self.require_hashes = self.require_hashes or given.require_hashes
        for url in given.indexes:
            self.problems += plain_index(url, where)
        for name, as_constraint in given.included:
            self.include(_Include(name, constraint or as_constraint, where), base, above)

    def include(self, include: _Include, base: str, above: tuple[str, ...]) -> None:
        """Read the file of a ``-r`` or ``-c``, relative to the file that includes it."""
        name = include.path
        if "://" in name and not name.lower().startswith("file:"):
            raise Wrong("a file at a URL is not fetched")
        if name.endswith(".toml"):
            raise Wrong("a pylock file inside a requirements file is not read")
        path = os.path.normpath(os.path.join(base, name.removeprefix("file://")))
        if path in above:
            raise Wrong("the file includes itself")
        if len(above) > MAX_DEPTH:
            raise Wrong(f"more than {MAX_DEPTH} files deep")
        if "${" in name:
            raise Wrong("the name depends on an environment variable")
        try:
            data = self.files.read(path, self.files.limits.lock)
        except Unreadable as error:
            here = self.shown(above[-1])
            raise LockError(
                f"{here}:{include.where.rsplit(' ', 1)[-1]}: {name}: {error.why}", f"looked for {path}"
            ) from None
        self.file(path, data, include.constraint, above)
