"""A module's name and a ``sys.path`` entry in, the file that CPython's finders would load out.

``importlib._bootstrap_external.FileFinder`` and ``zipimport`` restated over listed directories.
"""

import stat

from envcheck.files.process import names_process
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.model.environment import Environment
from envcheck.model.nouns import NamedTuple
from envcheck.startup.suffixes import SpecKind, extension_suffixes
from envcheck.startup.zips import Archive, read_archive


class Spec(NamedTuple):
    """What a finder answers."""

    kind: SpecKind
    path: str
    """The module's file; a zip member as ``archive/member``; the directory of a namespace portion."""
    search: str | None = None
    """Where submodules are looked for, when it is a package."""
    archive: Archive | None = None
    member: str = ""


ZIP_ORDER: tuple[tuple[str, SpecKind, bool], ...] = (
    ("/__init__.pyc", "zip-bytecode", True),
    ("/__init__.py", "zip-source", True),
    (".pyc", "zip-bytecode", False),
    (".py", "zip-source", False),
)
"""zipimport's own order: packages first, bytecode before source; ending, kind, and whether it is a package."""


class Finders:
    """The path-based finders of one interpreter, with what they list kept."""

    def __init__(self, files: Files, environment: Environment) -> None:
        self._files = files
        self._minor = environment.python.minor
        self._suffixes = extension_suffixes(environment)
        self._directories: dict[str, dict[str, str] | None] = {}
        self._archives: dict[str, tuple[Archive, str] | None] = {}
        self._symbolic: dict[str, bool] = {}
        self._plain: set[str] = set()
        """Paths known to be no links."""
        self.blind = False
        """Whether some directory or archive could not be read, so that what is not found may yet be there."""

    # Directories ------------------------------------------------------------------------------------------------

    def listing(self, directory: str) -> dict[str, str] | None:
        """Names in a directory with their kinds; ``None`` where it is none or cannot be listed."""
        try:
            return self._directories[directory]
        except KeyError:
            pass
        found: dict[str, str] | None
        try:
            found = {entry.name: entry.kind for entry in self._files.listdir(directory)}
        except Missing:
            found = None
        except Unreadable as error:
            status = self._files.stat(directory)
            if status is not None and stat.S_ISDIR(status.st_mode):
                self._files.miss(error.path, error.why)
                self.blind = True
            found = None
        self._directories[directory] = found
        return found

    def symbolic(self, path: str) -> bool:
        """Whether a path stands for something of the running process (its directory, a descriptor), also by links.

        Such a path must not be looked up here: it would lead into this process's own directory.
        """
        known = self._symbolic.get(path)
        if known is None:
            known = self._symbolic[path] = names_process(self._files, path, self._plain)
        return known

    # Finding ----------------------------------------------------------------------------------------------------

    def find(self, entry: str, name: str) -> Spec | None:
        """What the finder for one ``sys.path`` entry (or package directory) answers for a last name component."""
        found = self.candidates(entry, name, first=True)
        return found[0] if found else None

    def candidates(self, entry: str, name: str, first: bool = False) -> list[Spec]:
        """Everything under one entry that could be this module, in the finder's order; the first is what loads."""
        names = self.listing(entry)
        if names is None:
            return self._in_archive(entry, name)
        found: list[Spec] = []
        namespace = None
        if name in names:
            base = f"{entry}/{name}" if entry != "/" else f"/{name}"
            if names[name] == "dir" or (names[name] == "link" and not self.symbolic(base) and self._files.is_dir(base)):
                found += self._in_package(base)
                namespace = Spec("namespace", base, base)
        for suffix, kind in self._suffixes:
            file = name + suffix
            if file in names and not (first and found):
                path = f"{entry}/{file}" if entry != "/" else f"/{file}"
                if names[file] == "file" or (names[file] == "link" and self._is_file(path)):
                    found.append(Spec(kind, path))
        if not found and namespace is not None:
            found.append(namespace)
        return found

    def _in_package(self, base: str) -> list[Spec]:
        names = self.listing(base) or {}
        found = []
        for suffix, kind in self._suffixes:
            file = "__init__" + suffix
            if file in names and (names[file] == "file" or (names[file] == "link" and self._is_file(f"{base}/{file}"))):
                found.append(Spec(kind, f"{base}/{file}", base))
        return found

    def _is_file(self, path: str) -> bool:
        return not self.symbolic(path) and self._files.is_file(path)

    def _in_archive(self, entry: str, name: str) -> list[Spec]:
        opened = self._archive(entry)
        if opened is None:
            return []
        archive, prefix = opened
        base = prefix + name
        found = []
        for suffix, kind, package in ZIP_ORDER:
            member = base + suffix
            if member in archive.members:
                search = f"{archive.path}/{base}" if package else None
                found.append(Spec(kind, f"{archive.path}/{member}", search, archive, member))
        if not found and base + "/" in archive.members:
            found.append(Spec("namespace", f"{archive.path}/{base}", f"{archive.path}/{base}"))
        return found

    def _archive(self, entry: str) -> tuple[Archive, str] | None:
        """The archive that an entry names, or lies in, and the prefix inside it."""
        if entry in self._archives:
            return self._archives[entry]
        result = None
        path, inner = entry, ""
        while path not in ("", "/"):
            status = self._files.stat(path)
            if status is None:
                path, _, last = path.rpartition("/")
                inner = f"{last}/{inner}"
                continue
            if stat.S_ISREG(status.st_mode):
                result = self._open_archive(path, inner)
            break
        self._archives[entry] = result
        return result

    def _open_archive(self, path: str, inner: str) -> tuple[Archive, str] | None:
        if inner and self._archives.get(path) is not None:
            known = self._archives[path]
            assert known is not None
            return known[0], inner
        try:
            archive = read_archive(self._files, path, self._minor)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            self.blind = True
            return None
        return None if archive is None else (archive, inner)
