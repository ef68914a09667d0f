"""A base's interpreter and the shared libraries that the loader gives it, besides its standard library.

The libraries are those that the executable, libpython and the extension modules of ``lib-dynload`` name (``NEEDED``),
found as ld.so would find them: through RPATH and RUNPATH, ``$ORIGIN`` resolved, else in the usual directories. What
LD_LIBRARY_PATH changes belongs to a start of Python, not to the base.
"""

import posixpath

from envcheck.environments.libraries import OpenBinary, find_library
from envcheck.files.digests import digest
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.model.environment import Environment
from envcheck.model.inventory import StandardLibraryProof
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcheck.formats.binary import Binary
    from envcheck.installed.owners import Owners
    from envcheck.installed.tally import Tally
    from envcheck.installed.writable import Writable

_BINARIES = 2_000
"""Binaries whose needs are looked at."""
_OWN_LIBRARIES = ("libpython",)
_SHIPPED = (*_OWN_LIBRARIES, "libtcl", "libtk", "libthread", "libitcl", "libX", "libxcb", "libBLT", "libtommath")
"""Libraries that well-known builds have in their own prefix, beside one of the system's."""


class Library(NamedTuple):
    """A shared library that the loader takes for something of the interpreter's."""

    name: str
    """As it is needed."""
    path: str
    needed_by: str
    nearer_than: str | None
    """The one in a usual directory of the system that it is found before."""


def verify_base(
    files: Files, environment: Environment, owners: "Owners", tally: "Tally", writable: "Writable", workers: int
) -> StandardLibraryProof | None:
    """Verify the standard library and the interpreter of a base, or of the base that a reference was given for."""
    if environment.stdlib is None or environment.kind in ("target-directory", "user", "embedded"):
        for reference in owners.references:
            files.miss(reference.path, "the reference was compared with nothing: no Python belongs to what was scanned")
        return None
    library = owners.stdlib
    if owners.references and library.reference is None:
        python = environment.python
        for reference in owners.references:
            why = f"made from {reference}, and this is {python.version} ({python.abi}, {python.platform})"
            files.miss(reference.path, f"the reference was compared with nothing: {why}")
    if environment.kind == "venv" and library.reference is None:
        return library.unverified()
    proof = library.verify(tally, writable, workers)
    verified, unproven = _Programs(files, environment, owners, tally).verify()
    return proof._replace(verified=proof.verified + verified, unproven=proof.unproven + unproven)


def interpreter_of(files: Files, environment: Environment) -> str | None:
    """The real path of the base's interpreter: what the executable is a link to; for a copy, what it is one of."""
    python = environment.python
    places = [python.executable] if python.executable else []
    if environment.kind == "venv":
        home = environment.cfg.home if environment.cfg else None
        names = ("python{}.{}".format(*python.minor), "python3", "python")
        places = [f"{home or python.base_prefix + '/bin'}/{name}" for name in names]
    for path in places:
        if path.startswith("/") and files.is_file(path):
            try:
                return files.realpath(path)
            except Unreadable:
                return None
    return None


def libraries(files: Files, environment: Environment) -> "Iterator[Library]":
    """Every library that is loaded for the interpreter, each file once, in the order in which they are met."""
    executable = interpreter_of(files, environment)
    if executable is None:
        return
    with OpenBinary(files, executable) as (_, main):
        if main is None or main.kind != "elf":
            return
    inherited = () if main.runpath else tuple(_absolute(main.rpath, executable))
    pending: list[tuple[str, Binary | None]] = [(executable, main)]
    pending += [(path, None) for path in _extension_modules(files, environment)]
    seen = {path for path, _ in pending}
    for count, (path, binary) in enumerate(pending):
        if count >= _BINARIES:
            files.miss(path, f"more than {_BINARIES:,} shared objects: the libraries of the rest were not looked for")
            return
        if binary is None:
            with OpenBinary(files, path) as (_, binary):
                if binary is None or binary.kind != "elf":
                    continue
        if not binary.runpath:
            # RPATH of the executable counts for all that it loads, unless a RUNPATH says otherwise (ld.so(8)).
            binary = binary._replace(rpath=(*_absolute(binary.rpath, path), *inherited))
        for name in binary.needed:
            found = find_library(files, name, path, binary)
            if found is None:
                continue
            try:
                real = files.realpath(found)
            except Unreadable:
                continue
            if real in seen:
                continue
            seen.add(real)
            pending.append((real, None))
            usual = find_library(files, name, path, binary._replace(rpath=(), runpath=()))
            nearer = usual if usual is not None and posixpath.dirname(usual) != posixpath.dirname(found) else None
            if nearer is not None and files.realpath(nearer) == real:
                nearer = None
            yield Library(name, real, path, nearer)


def _absolute(directories: tuple[str, ...], path: str) -> list[str]:
    """RPATH elements with ``$ORIGIN`` taken for the directory of the file that has them."""
    origin = posixpath.dirname(path)
    return [text.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for text in directories]


def _extension_modules(files: Files, environment: Environment) -> list[str]:
    directories = {f"{environment.stdlib}/lib-dynload"}
    directories.update(path for path in environment.initial_path if path.endswith("/lib-dynload"))
    found = []
    for directory in sorted(directories):
        if files.is_dir(directory):
            found += [f"{directory}/{name}" for name in files.names(directory) if name.endswith(".so")]
    return found


class _Programs:
    """The interpreter and its libraries, against what owns them."""

    def __init__(self, files: Files, environment: Environment, owners: "Owners", tally: "Tally") -> None:
        self._files = files
        self._environment = environment
        self._owners = owners
        self._tally = tally
        self._prefix = environment.python.base_prefix.rstrip("/")
        self._reference = owners.stdlib.reference
        self._verified = 0
        self._unproven = 0

    def verify(self) -> tuple[int, int]:
        """How many were proven, and how many nothing proves."""
        executable = interpreter_of(self._files, self._environment)
        found = list(libraries(self._files, self._environment))
        paths = [*([executable] if executable else []), *(library.path for library in found)]
        listed = self._owners.dpkg.find_all(paths) if paths else {}
        for path in paths:
            library = next((one for one in found if one.path == path), None)
            recorded = listed.get(path)
            if self._by_reference(path, library, recorded is not None) or self._by_conda(path):
                continue
            if recorded is None or recorded.md5 is None:
                self._by_nobody(path, library)
                continue
            try:
                md5, sha256 = self._owners.dpkg.md5(path)
            except Unreadable as error:
                self._unreadable(error)
                continue
            if md5 == recorded.md5:
                self._verified += 1
            else:
                detail = "the md5 that dpkg recorded differs"
                self._tally.add("modified", path, None, f"md5:{recorded.md5}", sha256, detail, owner=recorded.owner)
        return self._verified, self._unproven

    def _by_reference(self, path: str, library: Library | None, listed: bool) -> bool:
        """Compare a file of the prefix with a reference; one that neither it nor dpkg has is somebody's."""
        name = below(path, self._files, self._prefix)
        if self._reference is None or name is None:
            return False
        expected = self._reference.files.get(name)
        if expected is None and listed:
            return False
        try:
            sha256 = digest(self._files, path)[0]
        except Unreadable as error:
            self._unreadable(error)
            return True
        if expected is None:
            detail = "the reference has no such file"
            if library is not None:
                detail += f", and {posixpath.basename(library.needed_by)} loads it"
            self._tally.add("unowned-code", path, actual=sha256, detail=detail)
        elif expected.hex() == sha256:
            self._verified += 1
        else:
            detail = "the reference has another hash"
            self._tally.add("modified", path, None, f"sha256:{expected.hex()}", sha256, detail)
        return True

    def _by_conda(self, path: str) -> bool:
        conda = self._owners.conda
        if conda is None:
            return False
        try:
            real, rows = conda.of_interpreter()
            # What the records say of the interpreter decides whether they are believed: it is told in any case.
            rows = rows if path == real else conda.find(path)
            if not rows:
                return False
            verdict = conda.verdict(path, rows)
        except Unreadable as error:
            self._unreadable(error)
            return True
        if verdict == "match":
            self._verified += 1
        elif verdict == "differs":
            detail = "the sha256 that conda recorded differs"
            sha256 = digest(self._files, path)[0]
            self._tally.add("modified", path, None, None, sha256, detail, owner=rows[0].owner)
        else:
            self._unproven += 1
        return True

    def _by_nobody(self, path: str, library: Library | None) -> None:
        self._unproven += 1
        if library is None:
            return
        why = self._why_planted(library)
        if why is not None:
            try:
                sha256 = digest(self._files, path)[0]
            except Unreadable as error:
                self._unreadable(error)
                return
            self._tally.add("library-nearer", path, actual=sha256, detail=why)

    def _why_planted(self, library: Library) -> str | None:
        """Why a library of the prefix that nothing owns should not be where the loader finds it."""
        file = posixpath.basename(library.path)
        usual = [f"{self._prefix}/{name}" for name in ("lib", "lib64")]
        directory = posixpath.dirname(library.path)
        by = posixpath.basename(library.needed_by)
        if file.startswith(_OWN_LIBRARIES):
            real = [self._real(f"{place}/{library.name}") for place in usual]
            other = next((one for one in real if self._files.is_file(one)), None)
            if other is not None and library.path not in real:
                return f"{by} loads it in place of {other}"
            return None
        beside = {*usual, f"{self._prefix}/bin", f"{self._environment.stdlib}/lib-dynload"}
        beside = {self._real(place) for place in beside}
        if library.nearer_than is None or file.startswith(_SHIPPED) or directory not in beside:
            return None
        return f"{by} loads it in place of {library.nearer_than}"

    def _real(self, path: str) -> str:
        try:
            return self._files.realpath(path)
        except Unreadable:
            return path

    def _unreadable(self, error: Unreadable) -> None:
        if not isinstance(error, Missing):
            self._files.miss(error.path, error.why)
            self._tally.add("unreadable", error.path, detail=error.why)


def below(path: str, files: Files, prefix: str) -> str | None:
    """A real path relative to a prefix, links in which are resolved; ``None`` for a path outside."""
    for top in (prefix, _resolved(files, prefix)):
        if path.startswith(top.rstrip("/") + "/"):
            return path[len(top.rstrip("/")) + 1 :]
    return None


def _resolved(files: Files, path: str) -> str:
    try:
        return files.realpath(path)
    except Unreadable:
        return path


def trusted_files(files: Files, environment: Environment, owners: "Owners") -> dict[str, str]:
    """What a reference of this installation holds: sha256 (hex) by path relative to the prefix.

    The standard library without bytecode, the interpreter, and the libraries of the prefix that it loads; not those
    that packages of dpkg's own, which are upgraded without it.
    """
    prefix = environment.python.base_prefix.rstrip("/")
    stdlib = (environment.stdlib or "").rstrip("/")
    wanted = {f"{stdlib[len(prefix) + 1 :]}/{key}": path for key, path in owners.stdlib.own_files()}
    executable = interpreter_of(files, environment)
    loaded = [one.path for one in libraries(files, environment)]
    listed = owners.dpkg.find_all(loaded) if loaded else {}
    for path in [*([executable] if executable else []), *(path for path in loaded if path not in listed)]:
        name = below(path, files, prefix)
        if name is not None:
            wanted.setdefault(name, path)
    found: dict[str, str] = {}
    for name, path in wanted.items():
        try:
            found[name] = digest(files, path)[0]
        except Missing:
            continue
        except Unreadable as error:
            files.miss(error.path, error.why)
    return found
