"""The base's standard library into what is proven of it, and what in it was changed, added or taken away.

It is compared with a reference if one is given, else with dpkg's or conda's records where those own it, else with the
catalogue of CPython's releases. Where there is nothing to compare with, that is one sentence, not a finding a file;
what no build has is reported even then.
"""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.catalogue import releases
from envcheck.files.digests import digest, heads
from envcheck.files.root import Directory, Files, Missing, Unreadable
from envcheck.installed import bytecode
from envcheck.installed.basis import (
    Basis,
    CatalogueBasis,
    CondaBasis,
    DpkgBasis,
    Match,
    NeighbourBasis,
    ReferenceBasis,
    is_optional,
)
from envcheck.installed.kinds import is_binary, is_code
from envcheck.model.environment import Environment
from envcheck.model.inventory import StandardLibraryProof
from envcheck.model.ownership import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcheck.installed.owners import Owners
    from envcheck.installed.references import Reference
    from envcheck.installed.tally import Tally
    from envcheck.installed.writable import Writable

_CHUNK = 1024
_HEAD = 16
_PACKAGES = ("site-packages", "dist-packages")
_STORES = ("/nix/store/", "/gnu/store/", "/Library/Developer/", "/Applications/Xcode")
_BREWED = ("/Cellar/", "/homebrew/", "/.linuxbrew/")
_LINKS = 100
"""Links to directories that are followed in one standard library."""
NEWEST = (3, 15)
"""The newest version whose extension modules are known by name."""


def of_a_system(prefix: str) -> bool:
    """Whether a prefix is filled by a package manager that patches what CPython releases."""
    return prefix in ("/usr", "/") or prefix.startswith(_STORES) or any(part in prefix for part in _BREWED)


class StandardLibrary:
    """The standard library of one environment, or of the base that it shares."""

    def __init__(
        self, files: Files, environment: Environment, owners: Owners, references: Sequence[Reference] = ()
    ) -> None:
        self._files = files
        self._environment = environment
        self._owners = owners
        self._references = references
        self._top = (environment.stdlib or "").rstrip("/")
        self._basis: Basis | None = None
        self._asked = False

    def covers(self, path: str) -> bool:
        """Whether a path is one of the standard library's own: in its directory, in no site directory."""
        if not self._top or not path.startswith(self._top + "/"):
            return False
        return path[len(self._top) + 1 :].partition("/")[0] not in _PACKAGES

    @property
    def reference(self) -> Reference | None:
        """The reference that was made from this very Python, among those that were given."""
        return next((one for one in self._references if one.is_for(self._environment)), None)

    @property
    def basis(self) -> Basis | None:
        """What it is compared with; ``None`` where there is nothing."""
        if not self._asked:
            self._asked = True
            self._basis = self._choose()
        return self._basis

    def _choose(self) -> Basis | None:
        python, reference = self._environment.python, self.reference
        if python.implementation != "cpython" or not self._top:
            return None
        if reference is not None:
            library = self._top[len(python.base_prefix.rstrip("/")) + 1 :]
            return ReferenceBasis(self._files, reference, library, python.version)
        landmark = f"{self._top}/os.py"
        if self._owners.dpkg_lists(landmark):
            return DpkgBasis(self._files, self._owners.dpkg, self._top)
        conda = self._owners.conda
        if conda is not None and conda.find(landmark):
            return CondaBasis(self._files, conda, self._top, releases.release(python.version))
        if of_a_system(python.base_prefix):
            return None
        release = releases.release(python.version)
        if release is not None:
            return CatalogueBasis(self._files, release, python.minor)
        # Debian's build, unpacked elsewhere, has modules of its own.
        known = self._environment.kind != "system" and NeighbourBasis.has(python.minor)
        return NeighbourBasis(self._files, python.minor) if known else None

    def claim(self, path: str) -> Claim | None:
        """Who put one of its files there; ``None`` where nothing tells, or where the path is none of its own."""
        source = bytecode.source_key(path)
        if source is not None or not self.covers(path) or self.basis is None:
            return None
        key = path[len(self._top) + 1 :]
        try:
            sha256 = digest(self._files, path)[0]
        except Unreadable:
            return None
        match = self.basis.match(key, path, bytes.fromhex(sha256))
        if match.verdict == "match":
            return Claim(match.owner, self.basis.assurance, sha256, f"compared with {self.basis.name}")
        if match.verdict == "modified":
            return Claim(match.owner, "modified", sha256, match.detail)
        return None

    # The whole of it --------------------------------------------------------------------------------------------

    def verify(self, tally: Tally, writable: Writable, workers: int = 0) -> StandardLibraryProof:
        """Compare every file; what deviates goes to the tally."""
        proof = _Walk(self._files, self._environment, self, tally, writable, workers)
        proof.run()
        return StandardLibraryProof(
            self.basis.name if self.basis is not None else None, proof.verified, proof.unproven, self.why_nothing()
        )

    def unverified(self) -> StandardLibraryProof:
        """What a scan says that looks at a venv, and not at its base."""
        return StandardLibraryProof(None, 0, 0, "the base was not scanned: it is an environment of its own")

    def why_nothing(self) -> str | None:
        """Why there is nothing to compare with, in words."""
        if self.basis is not None:
            return None
        python = self._environment.python
        if python.implementation != "cpython":
            return f"{python.implementation} has no catalogue"
        if of_a_system(python.base_prefix):
            return "a package manager's build that no database here describes: envcheck reference --help"
        return f"no release {python.version} is in the catalogue: envcheck reference --help"

    def own_files(self) -> Iterator[tuple[str, str]]:
        """Every file that is no bytecode and in no site directory, as key and absolute path."""
        for prefix, directory in self.directories():
            if prefix.endswith("__pycache__/"):
                continue
            for name in (*directory.files, *directory.links):
                yield prefix + name, f"{directory.path}/{name}"

    def directories(self) -> Iterator[tuple[str, Directory]]:
        """Its directories, each with its key; those behind links too, a bounded number of them."""
        sites = {site.path for site in self._environment.site_dirs}
        pending = [(self._top, "")]
        for path in self._environment.initial_path:
            # lib-dynload lies elsewhere where exec_prefix is another; it is compared under its usual name.
            if path.endswith("/lib-dynload") and not path.startswith(self._top + "/") and self._files.is_dir(path):
                pending.append((path, "lib-dynload/"))
        followed: set[str] = set()
        while pending:
            top, at = pending.pop()
            for directory in self._files.walk(top):
                if directory.path == self._top:
                    directory.dirs[:] = [name for name in directory.dirs if name not in _PACKAGES]
                    directory.links[:] = [name for name in directory.links if name not in _PACKAGES]
                directory.dirs[:] = [name for name in directory.dirs if f"{directory.path}/{name}" not in sites]
                inner = directory.path[len(top) :].strip("/")
                prefix = at + (inner + "/" if inner else "")
                for name in list(directory.links):
                    path = f"{directory.path}/{name}"
                    if not self._files.is_dir(path):
                        continue
                    directory.links.remove(name)
                    real = self.real(path)
                    if real in followed or len(followed) >= _LINKS or (self._top + "/").startswith(real + "/"):
                        self._files.miss(path, "a link to a directory that was entered before, or one of too many")
                        continue
                    followed.add(real)
                    pending.append((path, f"{prefix}{name}/"))
                yield prefix, directory

    def real(self, path: str) -> str:
        """A path with its links followed, or as it is where they lead nowhere."""
        try:
            return self._files.realpath(path)
        except Unreadable:
            return path


class _Walk:
    """One run over a standard library."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        library: StandardLibrary,
        tally: Tally,
        writable: Writable,
        workers: int,
    ) -> None:
        self._files = files
        self._environment = environment
        self._library = library
        self._tally = tally
        self._writable = writable
        self._workers = workers
        self._prefix = environment.python.base_prefix.rstrip("/") + "/"
        self._top = (environment.stdlib or "").rstrip("/")
        self._extensions: dict[str, list[str]] = {}
        self.verified = 0
        self.unproven = 0

    def run(self) -> None:
        basis = self._library.basis
        present: set[str] = set()
        waiting: list[tuple[str, str]] = []
        for prefix, directory in self._library.directories():
            if prefix.endswith("__pycache__/"):
                self._bytecode(prefix, directory)
                continue
            present.add(prefix)
            for name in directory.others:
                self._tally.add("unowned-data", f"{directory.path}/{name}", detail="it is no regular file")
            for name in (*directory.files, *directory.links):
                present.add(prefix + name)
                waiting.append((prefix + name, f"{directory.path}/{name}"))
                self._meet(f"{directory.path}/{name}", name in directory.links)
                if prefix == "lib-dynload/":
                    self._extensions.setdefault(name.partition(".")[0], []).append(name)
            if len(waiting) >= _CHUNK:
                self._compare(basis, waiting)
                waiting = []
        self._compare(basis, waiting)
        if basis is not None:
            self._missing(basis, present)

    def _meet(self, path: str, link: bool) -> None:
        """Who else may change a file, and where a link leads."""
        found = self._files.stat(path)
        if found is None:
            return
        self._writable.meet(path, found)
        if link:
            self._writable.meet_target(path)
            target = self._library.real(path)
            if not target.startswith(self._prefix) and not of_a_system(self._prefix.rstrip("/")):
                self._tally.add("link-outside", path, actual=target, detail=f"it leads to {target}")

    def _compare(self, basis: Basis | None, waiting: list[tuple[str, str]]) -> None:
        if basis is None:
            for key, path in waiting:
                self._without_basis(key, path)
            return
        for (key, path), match in zip(waiting, basis.matches(waiting, self._workers), strict=True):
            if isinstance(match, Unreadable):
                self._unreadable(basis, key, path, match)
            elif match.verdict == "match":
                self.verified += 1
            elif match.verdict == "modified":
                self._tally.add("modified", path, None, match.expected, match.actual, match.detail, owner=match.owner)
            elif match.verdict == "unproven":
                self.unproven += 1
            else:
                self._unknown(basis, key, path, match)

    def _unreadable(self, basis: Basis, key: str, path: str, error: Unreadable) -> None:
        if isinstance(error, Missing):
            target = self._link(path)
            if target == f"/etc/{self._top.rpartition('/')[2]}/{key}" and key == "sitecustomize.py":
                return  # Debian's build has this link, and only root can put something there
            if target is not None and is_code(key):
                self._tally.add("unowned-code", path, actual=target, detail=f"a link to {target}, where nothing is")
            return
        self._files.miss(error.path, error.why)
        self._tally.add("unreadable", path, detail=error.why)

    def _unknown(self, basis: Basis, key: str, path: str, match: Match) -> None:
        """A file that the basis does not know: what a build or an administrator makes, or somebody's."""
        made_here = isinstance(basis, (CatalogueBasis, NeighbourBasis))
        if made_here and (releases.PRODUCTS.match(key) or self._is_extension(key)):
            self.unproven += 1
            return
        literal = next((name for form, name in releases.LITERALS if form.match(key)), None)
        if literal is not None and made_here:
            why = self._not_a_literal(path, literal)
            if why is None:
                self.verified += 1
            else:
                self._tally.add("unowned-code", path, actual=match.actual, detail=why)
            return
        self._report(key, path, match.actual, f"no such file is in {basis.name}")

    def _without_basis(self, key: str, path: str) -> None:
        """Where nothing tells which modules belong: what is certain about shared objects."""
        directory, _, name = key.rpartition("/")
        if not name.endswith((".so", ".pyd")) or self._environment.python.minor > NEWEST:
            return
        if of_a_system(self._environment.python.base_prefix):
            return
        if directory == "lib-dynload" and not self._is_extension(key):
            self._report(key, path, None, "no CPython has an extension module of that name")

    def _report(self, key: str, path: str, actual: str | None, detail: str) -> None:
        target = self._link(path)
        if target is not None:
            detail = f"a link to {target}; {detail}"
        name = key.rpartition("/")[2]
        if name == "distutils.cfg":
            self._tally.add("unowned-code", path, actual=actual, detail="distutils runs the commands that it names")
        elif key.endswith(".pyc"):
            self._tally.add("bytecode-sourceless", path, actual=actual, detail=detail)
        elif is_code(key) or self._is_binary(path):
            self._tally.add("unowned-code", path, actual=actual, detail=detail)
        else:
            self._tally.add("unowned-data", path, actual=actual, detail=detail)

    def _is_extension(self, key: str) -> bool:
        """Whether a file bears the name of an extension module of CPython's, and is the only one that does."""
        directory, _, name = key.rpartition("/")
        module = name.partition(".")[0]
        if directory != "lib-dynload" or not name.endswith(".so"):
            return False
        if not releases.has_extension(module, self._environment.python.minor):
            return False
        return self._extensions.get(module, []) in ([], [name])

    def _not_a_literal(self, path: str, name: str) -> str | None:
        """Why a module that a build writes is more than one literal."""
        from envcheck.formats.literal import is_one_literal

        try:
            text = self._files.read(path).decode("utf-8", "surrogateescape")
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return error.why
        return None if is_one_literal(text, name) else "it is more than the literal that a build writes"

    def _bytecode(self, prefix: str, directory: Directory) -> None:
        """Bytecode belongs to the source beside it, unless that is not there or never looked at."""
        paths = []
        for name in (*directory.files, *directory.links):
            path = f"{directory.path}/{name}"
            source = bytecode.source_name(name)
            if source is None:
                self._report(prefix + name, path, None, "it is no bytecode of a module beside it")
            elif not self._files.is_file(f"{directory.path.rpartition('/')[0]}/{source}"):
                self._tally.add("bytecode-orphan", path, detail=f"{source} is not there")
            elif name in directory.files:
                paths.append(path)
            elif bytecode.unchecked(self._files, path):
                self._tally.add("bytecode-unchecked", path)
        for path, head in zip(paths, heads(self._files, paths, bytecode.HEADER, self._writable.meet), strict=True):
            if isinstance(head, Unreadable):
                self._files.miss(head.path, head.why)
            elif bytecode.is_unchecked(head):
                self._tally.add("bytecode-unchecked", path)

    def _missing(self, basis: Basis, present: set[str]) -> None:
        """Files that must be there; packages that distributors leave out may be gone as a whole."""
        lost: dict[str, list[str]] = {}
        required = basis.required()
        for key in required:
            top, slash, _ = key.partition("/")
            if key in present or self._files.exists(f"{self._top}/{key}"):
                continue
            if slash and is_optional(key) and f"{top}/" not in present:
                continue
            if releases.TESTS.search(key) and f"{key.rpartition('/')[0]}/" not in present:
                continue
            if not key.endswith(".py") and f"{key.rpartition('/')[0]}/" not in present:
                continue
            lost.setdefault(top if slash else "", []).append(key)
        for keys in lost.values():
            for key in sorted(keys):
                self._tally.add("missing", f"{self._top}/{key}", owner=required[key])

    def _link(self, path: str) -> str | None:
        if not self._files.is_link(path):
            return None
        try:
            return self._files.readlink(path)
        except Unreadable:
            return None

    def _is_binary(self, path: str) -> bool:
        try:
            return is_binary(self._files.read_part(path, _HEAD)[0])
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return False
