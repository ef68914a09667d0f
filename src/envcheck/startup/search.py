"""``sys.path`` and ``sys.meta_path`` as they stand at one moment of a simulated start, and what they answer."""

import posixpath
from collections.abc import Iterable, Mapping

from envcheck.files.root import Files, Unreadable
from envcheck.formats.values import Value
from envcheck.model.environment import Environment
from envcheck.model.nouns import NamedTuple
from envcheck.startup.modules import Finders, Spec
from envcheck.startup.names import STANDARD
from envcheck.startup.redirection import (
    Finder,
    Meson,
    Redirecting,
    Scikit,
    ScikitInplace,
    Setuptools,
    settings_in,
    setuptools_settings,
)
from envcheck.startup.suffixes import extension_suffixes

_MAX_PORTIONS = 1000
"""Lines of a ``NAME.pkg`` that are looked at."""


class PathEntry(NamedTuple):
    """One entry of the simulated ``sys.path``."""

    path: str
    when: str | None = None
    """The condition under which it is there."""
    added_by: str | None = None
    """The file whose line or code added it."""


class Found(NamedTuple):
    """What an import may load, and from where."""

    spec: Spec
    entry: PathEntry
    """The place on ``sys.path`` that it was found in, with that place's condition."""
    search: tuple[PathEntry, ...] | None = None
    """``__path__``, when it is a package: a namespace's portions each with the condition of its own place."""


def openness(when: str | None) -> int:
    """How much a condition leaves open: nothing, what comes first on ``sys.path``, or whether it is reached at all."""
    if when is None:
        return 0
    return 1 if all(part.startswith("depends on what ") for part in when.split("; ")) else 2


class Search:
    """The search path, which grows while the start runs."""

    def __init__(self, files: Files, environment: Environment, finders: Finders) -> None:
        self._files = files
        self._environment = environment
        self._finders = finders
        # As ``sys.path`` has it: an interpreter linked relatively gives ``venv/bin/../../base/lib/python3.8``.
        self._stdlib = None if environment.stdlib is None else posixpath.normpath(environment.stdlib)
        self.path: list[PathEntry] = []
        """``sys.path``."""
        self.doubt: str | None = None
        """Why the order of ``sys.path`` is not known, so that any of its places may come first."""
        self.unnameable: set[str] = set()
        """Places that the file system's encoding cannot name: an import that gets there fails, with no ImportError."""
        self.finders: list[tuple[Finder, str | None]] = []
        """What editable installs put on ``sys.meta_path``, each with the condition under which it is there."""
        self._suffixes = extension_suffixes(environment)
        self._redirecting = Redirecting(files, self._suffixes)

    def find(self, name: str) -> list[Found]:
        """What a top-level import may load: places that are there conditionally, then the first certain one."""
        entries = self.path
        if self.doubt is not None:
            entries = [entry._replace(when=entry.when or self.doubt) for entry in entries]
        return self.find_in(tuple(entries), name, name)

    def insert(self, position: int, entry: PathEntry) -> None:
        """``sys.path.insert(position, …)``: where conditional entries are counted, each place that it may get."""
        counted = self.path[:position] if position >= 0 else self.path[position:]
        open_ones = [other.when for other in counted if other.when is not None]
        if not open_ones:
            self.path.insert(position, entry)
            return
        certain = [index for index, other in enumerate(self.path) if other.when is None]
        if position >= 0:
            # Without those that are not there, it gets behind as many of the others.
            earliest = position
            latest = certain[position - 1] + 1 if len(certain) >= position else len(self.path)
        else:
            # Counted from the end, it gets before as many of the others.
            earliest = certain[position] if len(certain) >= -position else 0
            latest = max(len(self.path) + position, 0)
        self.path.insert(latest, entry)
        self.path.insert(earliest, entry._replace(when=entry.when or open_ones[0]))

    @property
    def barred(self) -> str | None:
        """The place on ``sys.path`` that every import fails at which is not found before it."""
        if not self.unnameable:
            return None
        return next((entry.path for entry in self.path if entry.path in self.unnameable), None)

    def symbolic(self, path: str) -> bool:
        """Whether a place is the running process's own: its directory, or one of its descriptors."""
        return self._finders.symbolic(path)

    def extended(
        self, name: str, own: tuple[PathEntry, ...], places: tuple[PathEntry, ...] | None
    ) -> tuple[PathEntry, ...]:
        """What ``pkgutil.extend_path(__path__, name)`` adds: other portions of the package, and those of ``NAME.pkg``.

        ``places`` is the parent's path, ``None`` for ``sys.path``.
        """
        added: list[PathEntry] = []
        known = {entry.path for entry in own}
        for entry in self.path if places is None else places:
            if self._finders.symbolic(entry.path):
                continue
            spec = self._finders.find(entry.path, name.rpartition(".")[2])
            if spec is not None and spec.search is not None and spec.search not in known:
                known.add(spec.search)
                added.append(PathEntry(spec.search, entry.when))
            if name + ".pkg" in (self._finders.listing(entry.path) or {}):
                added += [PathEntry(line, entry.when) for line in self._package_file(f"{entry.path}/{name}.pkg")]
        return tuple(added)

    def _package_file(self, path: str) -> list[str]:
        """The lines of a ``NAME.pkg`` that are neither empty nor comments."""
        limit = self._files.limits.startup
        try:
            data, size = self._files.read_part(path, limit)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return []
        if size > len(data):
            self._files.miss(path, f"larger than the bound of {limit:,} bytes: the rest was not read")
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        return [line for line in lines[:_MAX_PORTIONS] if line and not line.startswith("#")]

    def find_in(self, entries: tuple[PathEntry, ...], full: str, tail: str) -> list[Found]:
        """The same for any path: ``full`` is the dotted name, ``tail`` its last component."""
        found = self.redirected(full, first=True)
        if found and found[-1].entry.when is None:
            return found
        portions: list[Found] = []
        for entry in self._reachable(entries):
            if self._finders.symbolic(entry.path):
                continue
            spec = self._finders.find(entry.path, tail)
            if spec is None:
                continue
            if spec.kind == "namespace":
                portions.append(Found(spec, entry))
                continue
            result = Found(spec, entry, None if spec.search is None else (PathEntry(spec.search),))
            if entry.when is None:
                # A place that may come earlier, too, is the same file all the same.
                return [other for other in found if other.spec.path != spec.path] + [result]
            same = next((other for other in found if other.spec.path == spec.path), None)
            if same is None:
                found.append(result)
            elif openness(entry.when) < openness(same.entry.when):
                # The same file from two places: it needs the condition of the more certain one.
                found[found.index(same)] = result
        for finder, when in self.finders:
            places = finder.portion(full)
            if places is not None:
                entry = PathEntry(places[0] if places else "", when)
                portions.append(Found(Spec("namespace", entry.path, entry.path), entry, tuple(map(PathEntry, places))))
        if portions:
            # A namespace package is the last resort of a path; one sure portion makes it sure.
            sure = next((portion for portion in portions if portion.entry.when is None), portions[0])
            found.append(sure._replace(search=_each_once(portions)))
        if all(portion.entry.when is not None for portion in portions):
            found += self._behind(found, self.redirected(full, first=False))
        return found

    def _reachable(self, entries: tuple[PathEntry, ...]) -> Iterable[PathEntry]:
        """The places of a path, those from one on that cannot be named under that condition."""
        if self.unnameable.isdisjoint(entry.path for entry in entries):
            return entries
        barred: str | None = None
        reached = []
        for entry in entries:
            if barred is None and entry.path in self.unnameable:
                barred = f"only if {entry.path} can be encoded"
            reached.append(entry if barred is None else entry._replace(when=entry.when or barred))
        return reached

    def _behind(self, found: list[Found], later: list[Found]) -> list[Found]:
        """What finders that are asked later answer: nobody asks them, unless the doubtful place has nothing."""
        if self.doubt is None or all(other.entry.when != self.doubt for other in found):
            return later
        return [one._replace(entry=one.entry._replace(when=one.entry.when or self.doubt)) for one in later]

    def redirected(self, full: str, first: bool) -> list[Found]:
        """What the finders of editable installs answer that stand before Python's own (``first``), or after them."""
        found: list[Found] = []
        for finder, when in self.finders:
            if finder.first is not first:
                continue
            answer = finder.find(full)
            if answer is None or self._finders.symbolic(answer.spec.path):
                continue
            entry = PathEntry(
                posixpath.dirname(answer.spec.path), "; ".join(text for text in (when, answer.when) if text) or None
            )
            search = None if answer.search is None else tuple(map(PathEntry, answer.search))
            found.append(Found(answer.spec, entry, search))
            if entry.when is None:
                break
        return found

    def redirects(self, full: str) -> bool:
        """Whether a finder that stands before Python's own answers for a name."""
        return bool(self.redirected(full, first=True))

    def install(self, literals: Mapping[str, Value], when: str | None) -> None:
        """``install()`` of a setuptools editable finder."""
        mapping, namespaces = setuptools_settings(literals)
        if mapping or namespaces:
            self.finders.append((Setuptools(self._files, self._suffixes, mapping, namespaces), when))

    def redirect(self, name: str, file: str, when: str | None) -> None:
        """``RedirectingFinder.map_module(name, file)`` of the editables library."""
        if not any(finder is self._redirecting for finder, _ in self.finders):
            self.finders.append((self._redirecting, when))
        self._redirecting.mapping[name] = file

    def add_loader(self, path: str, source: bytes, called: bool, when: str | None) -> bool:
        """The finder of a scikit-build-core or meson-python loader; whether there is one with literal settings."""
        from envcheck.catalogue.editables import read_meson_loader, read_scikit_loader

        settings = settings_in(source.decode("utf-8", "surrogateescape"), called)
        if when is None and read_scikit_loader(source) is None and read_meson_loader(source) is None:
            # Not the tool's own text with plain settings: it may do anything else, and must hide nothing.
            when = f"only if the finder in {path} does what its name says"
        for name, arguments in settings:
            finder: Finder
            if name == "install_inplace":
                finder = ScikitInplace(self._files, self._suffixes, self._finders, arguments)
            elif name == "install" and b"ScikitBuild" in source:
                finder = Scikit(self._files, self._suffixes, posixpath.dirname(path), arguments)
            else:
                finder = Meson(self._files, self._suffixes, path, arguments)
            self.finders.insert(0, (finder, when))
        return bool(settings)

    def knows_everything(self, name: str) -> bool:
        """Whether a module that was not found cannot be anywhere: no unknown or conditional place on ``sys.path``."""
        if self._environment.stdlib is None or name.partition(".")[0] in STANDARD or self._finders.blind:
            return False
        if self.doubt is not None:
            return False
        return self._certain(self.path)

    def knows_all_of(self, name: str, places: tuple[PathEntry, ...]) -> bool:
        """The same for a submodule of a package that has these places."""
        return self.knows_everything(name) and self._certain(places)

    def _certain(self, places: Iterable[PathEntry]) -> bool:
        return not any(e.when is not None or self._finders.symbolic(e.path) for e in places)

    def is_standard(self, full: str, path: str) -> bool:
        """Whether a file is the standard library's: by its place and its name, so that a planted one is not."""
        stdlib = self._stdlib
        if stdlib is None or full.partition(".")[0] not in STANDARD or not path.startswith(stdlib + "/"):
            return False
        return "/site-packages/" not in path[len(stdlib) :] and "/dist-packages/" not in path[len(stdlib) :]

    def shipped(self, name: str) -> bool:
        """Whether the library has an extension module of that name, so that the interpreter has it not built in."""
        place = None if self._stdlib is None else f"{self._stdlib}/lib-dynload"
        return place is not None and self._finders.find(place, name) is not None

    def outside(self, directory: str) -> str | None:
        """The directory, where it is neither a site directory nor inside the environment or its base."""
        environment = self._environment
        for inside in (environment.path, environment.python.base_prefix):
            if directory == inside or directory.startswith(inside.rstrip("/") + "/"):
                return None
        known = {d.path for d in environment.site_sequence} | set(environment.initial_path)
        return None if directory in known else directory


def _each_once(portions: list[Found]) -> tuple[PathEntry, ...]:
    """A namespace's portions in order, each place once: without its condition where it is there for certain too."""
    places: dict[str, PathEntry] = {}
    for spec, entry, search in portions:
        for place in (PathEntry(spec.path),) if search is None else search:
            known = places.get(place.path)
            if known is None or (known.when is not None and entry.when is None):
                places[place.path] = PathEntry(place.path, entry.when)
    return tuple(places.values())
