"""A found module in, the bytes that CPython would execute for it out.

The source, or the cached bytecode that it accepts instead (PEP 3147, PEP 552); a zip member as zipimport chooses it.
"""

import posixpath
import stat

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats import bytecode
from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256
from envcheck.startup.modules import ZIP_ORDER, Finders, Spec
from envcheck.startup.zips import Archive, Member, read_member

NO_LIBRARY = "it is no ELF library, so its import fails"
BAD_BYTECODE = "its bytecode is of another Python version or damaged, so its import fails"


class Loaded(NamedTuple):
    """The bytes that stand for a module."""

    path: str
    """The file of the spec."""
    loads: str
    """The file whose bytes are executed: the accepted ``.pyc``, else the same as ``path``."""
    data: bytes | None
    """The source, or the bytecode of a module without source; ``None`` where it could not be read."""
    sha256: str | None
    """Of ``path``."""
    why: str | None = None
    """Why there is no data, or why the bytes cannot run."""

    @property
    def broken(self) -> bool:
        """No byte of it can run: its import fails for certain."""
        return self.why in (NO_LIBRARY, BAD_BYTECODE)


class Loaders:
    """The loaders of one interpreter, started in one way."""

    def __init__(self, files: Files, environment: Environment, invocation: Invocation, finders: Finders) -> None:
        self._files = files
        self._finders = finders
        self._python = environment.python
        self._minor = environment.python.minor
        self._optimize = invocation.optimize
        self._hash_check = _hash_check(invocation)
        prefix = invocation.option("pycache_prefix") or invocation.variable("PYTHONPYCACHEPREFIX")
        self._pycache_prefix = prefix or None

    def load(self, spec: Spec) -> Loaded:
        """Read what stands for a found module, and say which bytes CPython would run."""
        if spec.archive is not None:
            return self._load_member(spec, spec.archive)
        if spec.kind == "extension":
            return self._hashed(spec.path, self._no_library(spec.path))
        try:
            data, size = self._files.read_part(spec.path, self._files.limits.startup)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return Loaded(spec.path, spec.path, None, None, error.why)
        if size > len(data):
            self._files.miss(spec.path, f"larger than the bound of {self._files.limits.startup:,} bytes")
            return self._hashed(spec.path, "too large to analyse")
        digest = sha256(data).hexdigest()
        if spec.kind == "bytecode":
            why = None
            if bytecode.read_header(data, self._minor) is None:
                why = BAD_BYTECODE
            return Loaded(spec.path, spec.path, data, digest, why)
        return Loaded(spec.path, self.accepted_bytecode(spec.path, data) or spec.path, data, digest)

    def _no_library(self, path: str) -> str | None:
        """Why the dynamic loader refuses an extension, where its first bytes tell."""
        if not self._python.platform.startswith("linux"):
            return None
        try:
            head, _ = self._files.read_part(path, 4)
        except Unreadable:
            return None
        return None if head == b"\x7fELF" else NO_LIBRARY

    def _hashed(self, path: str, why: str | None = None) -> Loaded:
        from envcheck.files.digests import digest

        try:
            return Loaded(path, path, None, digest(self._files, path)[0], why)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return Loaded(path, path, None, None, error.why)

    def _load_member(self, spec: Spec, archive: Archive) -> Loaded:
        try:
            data = read_member(self._files, archive, spec.member)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return Loaded(spec.path, spec.path, None, None, error.why)
        digest = sha256(data).hexdigest()
        if spec.kind == "zip-bytecode" and not self._member_accepted(archive, spec.member, data):
            # zipimport goes on to the next form of the same name.
            return self._member_instead(spec, archive) or Loaded(spec.path, spec.path, data, digest, BAD_BYTECODE)
        return Loaded(spec.path, spec.path, data, digest)

    def _member_instead(self, spec: Spec, archive: Archive) -> Loaded | None:
        base = next(spec.member.removesuffix(ending) for ending, _, _ in ZIP_ORDER if spec.member.endswith(ending))
        forms = [(base + ending, kind) for ending, kind, _ in ZIP_ORDER]
        for member, kind in forms[[name for name, _ in forms].index(spec.member) + 1 :]:
            if member in archive.members:
                return self._load_member(Spec(kind, f"{archive.path}/{member}", spec.search, archive, member), archive)
        return None

    def _member_accepted(self, archive: Archive, member: str, data: bytes) -> bool:
        header = bytecode.read_header(data, self._minor)
        if header is None:
            return False
        source = archive.members.get(member[:-1])
        if header.hash_based:
            if source is None or not bytecode.needs_source(header, self._hash_check):
                return True
            try:
                text = read_member(self._files, archive, member[:-1])
            except Unreadable:
                return True
            return bytecode.source_hash(text, header.magic, self._minor) == header.source_hash
        return source is None or (header.size == source.size and _may_be_its_time(source, header.mtime))

    def accepted_bytecode(self, source: str, data: bytes) -> str | None:
        """The ``.pyc`` that CPython runs instead of this source, or ``None``."""
        path = self.cached(source)
        if self._finders.symbolic(path):
            self._files.miss(path, "leads to something of the running process, which no scan can read")
            return None
        try:
            head, _ = self._files.read_part(path, bytecode.HEADER_SIZE)
        except Missing:
            return None
        except Unreadable as error:
            status = self._files.stat(path)
            if status is not None and stat.S_ISREG(status.st_mode):
                self._files.miss(error.path, error.why)
            return None
        header = bytecode.read_header(head, self._minor)
        if header is None:
            return None
        if header.hash_based:
            if not bytecode.needs_source(header, self._hash_check):
                return path
            matches = bytecode.source_hash(data, header.magic, self._minor) == header.source_hash
            return path if matches else None
        status = self._files.stat(source)
        if status is None:
            return None
        return path if bytecode.matches_stat(header, status.st_mtime, status.st_size) else None

    def cached(self, source: str) -> str:
        """Where the bytecode of a source file is looked for (PEP 3147; PYTHONPYCACHEPREFIX, bpo-33499)."""
        directory, name = posixpath.split(source)
        tag = f"cpython-{self._minor[0]}{self._minor[1]}"
        file = bytecode.cache_name(name.rpartition(".")[0], tag, self._optimize)
        if self._pycache_prefix is not None:
            return posixpath.join(self._pycache_prefix, directory.lstrip("/"), file)
        return f"{directory}/__pycache__/{file}"


def _may_be_its_time(source: Member, stamp: int) -> bool:
    """Whether a source's local time may be that time stamp: in some time zone, of which all are whole quarter hours."""
    import calendar

    date, time = source.date, source.time
    try:
        local = calendar.timegm(
            ((date >> 9) + 1980, (date >> 5) & 15, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2)
        )
    except ValueError:
        # mktime makes a date of any numbers.
        return True
    apart = stamp - local
    return abs(apart) <= 15 * 3600 and (apart + 1) % 900 <= 2


def _hash_check(invocation: Invocation) -> bytecode.HashCheck:
    flags = invocation.flags
    for index, flag in enumerate(flags):
        if flag.startswith("--check-hash-based-pycs"):
            value = flag.partition("=")[2] or flag.partition(" ")[2] or "".join(flags[index + 1 : index + 2])
            if value.strip() == "always":
                return "always"
            if value.strip() == "never":
                return "never"
    return "default"
