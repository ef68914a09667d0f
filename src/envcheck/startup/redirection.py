"""Finders that editable installs put on ``sys.meta_path``: a module's dotted name in, the file that they answer out.

Each is the finder of one tool, restated over its settings, which are literals in the file that the tool wrote. They
take part in every later lookup, that of ``sitecustomize`` included.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from envcheck.files.root import Files, Unreadable
from envcheck.formats.values import Value
from envcheck.model.nouns import NamedTuple
from envcheck.startup.modules import Finders, Spec
from envcheck.startup.suffixes import SpecKind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.catalogue.literals import Literal

MARKS = (b"ScikitBuildRedirectingFinder", b"ScikitBuildInplaceFinder", b"MesonpyMetaFinder")
"""What stands in the loaders whose settings are in their text."""
MAX_PLAN = 16 << 20


class Answer(NamedTuple):
    """What a finder answers."""

    spec: Spec
    search: tuple[str, ...] | None = None
    """``__path__``, of a package."""
    when: str | None = None


class Finder:
    """One entry of ``sys.meta_path``. ``first``: it is asked before all others, and not after them."""

    first = False

    def __init__(self, files: Files, suffixes: Sequence[tuple[str, SpecKind]]) -> None:
        self._files = files
        # Source, bytecode, extensions: importlib.machinery.all_suffixes().
        order = {"source": 0, "bytecode": 1, "extension": 2}
        self._suffixes = sorted(suffixes, key=lambda suffix: order.get(suffix[1], 3))

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        raise NotImplementedError

    def portion(self, full: str) -> tuple[str, ...] | None:
        """The places that it adds to a namespace package of that name."""
        return None

    def _file(self, path: str, search: tuple[str, ...] | None = None) -> Answer:
        """``spec_from_file_location``: the loader follows from the ending, a package from the name ``__init__``."""
        kind: SpecKind = next((kind for suffix, kind in self._suffixes if path.endswith(suffix)), "source")
        directory, name = posixpath.split(path)
        if search is None and name.partition(".")[0] == "__init__":
            search = (directory,)
        return Answer(Spec(kind, path, None if search is None else directory), search)


class Setuptools(Finder):
    """``_EditableFinder`` and ``_EditableNamespaceFinder`` of setuptools 64 and later; appended."""

    def __init__(
        self, files: Files, suffixes: Sequence[tuple[str, SpecKind]], mapping: Mapping[str, str],
        namespaces: Mapping[str, tuple[str, ...]],
    ) -> None:  # fmt: skip
        super().__init__(files, suffixes)
        self.mapping = dict(mapping)
        self.namespaces = dict(namespaces)

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        # The first whose name fits answers, and nobody after it.
        for name in reversed(self.mapping):
            if full == name or full.startswith(name + "."):
                return self._candidate(posixpath.join(self.mapping[name], *full[len(name) + 1 :].split(".")))
        for name in reversed(self.mapping):
            if full.startswith(name):
                found = self._candidate(posixpath.join(self.mapping[name], *full[len(name) :].strip(".").split(".")))
                why = (
                    f"only where the finder answers for every name that begins with {name}, as that of setuptools 64.0"
                )
                return None if found is None else found._replace(when=why)
        return None

    def _candidate(self, place: str) -> Answer | None:
        place = place.rstrip("/")
        if self._files.is_file(f"{place}/__init__.py"):
            return self._file(f"{place}/__init__.py")
        directory, name = posixpath.split(place)
        # Path.with_suffix takes an ending away before it adds one.
        stem = name.rpartition(".")[0] or name
        for suffix, _ in self._suffixes:
            if self._files.is_file(f"{directory}/{stem}{suffix}"):
                return self._file(f"{directory}/{stem}{suffix}")
        return None

    def portion(self, full: str) -> tuple[str, ...] | None:
        """The places that it adds to a namespace package."""
        return self.namespaces.get(full)


class Redirecting(Finder):
    """``editables.redirector.RedirectingFinder``: top-level names to files; appended."""

    def __init__(self, files: Files, suffixes: Sequence[tuple[str, SpecKind]]) -> None:
        super().__init__(files, suffixes)
        self.mapping: dict[str, str] = {}

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        place = self.mapping.get(full)
        return None if place is None else self._file(place)


class Scikit(Finder):
    """``ScikitBuildRedirectingFinder``: it stands before the finders of Python's own."""

    first = True

    def __init__(
        self, files: Files, suffixes: Sequence[tuple[str, SpecKind]], directory: str, settings: Sequence[Literal]
    ) -> None:
        super().__init__(files, suffixes)
        # Source files, wheel files, from 1.0 on directories (before: the build directory); what follows is the build's.
        source, wheel, directories = (*settings, None, None, None)[:3]
        self._source = _texts(source)
        self._wheel = {name: posixpath.join(directory, place) for name, place in _texts(wheel).items()}
        places = directories if isinstance(directories, dict) else {}
        self._places = {
            name: tuple(posixpath.join(directory, str(place)) for place in value)
            for name, value in places.items()
            if isinstance(value, (list, tuple))
        }

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        place = self._wheel.get(full) or self._source.get(full)
        search = self._places.get(full)
        if place is not None:
            package = place.endswith(("__init__.py", "__init__.pyc"))
            return self._file(place, (search or (posixpath.dirname(place),)) if package else None)
        if search is not None:
            return Answer(Spec("namespace", search[0] if search else "", ""), search)
        return None


class ScikitInplace(Finder):
    """``ScikitBuildInplaceFinder``: its own places come first for the top-level names that it knows."""

    first = True

    def __init__(
        self, files: Files, suffixes: Sequence[tuple[str, SpecKind]], finders: Finders, settings: Sequence[Literal]
    ) -> None:
        super().__init__(files, suffixes)
        self._finders = finders
        lists = [[str(item) for item in value] for value in settings[:2] if isinstance(value, list)]
        self._names, self._places = lists if len(lists) == 2 else ([], [])

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        for place in self._places if full in self._names else ():
            spec = None if self._finders.symbolic(place) else self._finders.find(place, full)
            if spec is not None and spec.kind != "namespace":
                return Answer(spec, None if spec.search is None else (spec.search,))
        return None


class Meson(Finder):
    """``MesonpyMetaFinder``: what Meson's install plan names, after the build command that it runs first."""

    first = True

    def __init__(
        self, files: Files, suffixes: Sequence[tuple[str, SpecKind]], loader: str, settings: Sequence[Literal]
    ) -> None:
        super().__init__(files, suffixes)
        self._loader = loader
        names = [value for value in settings if isinstance(value, frozenset)]
        self._names = names[0] if names else frozenset()
        after = [value for value in settings[1:] if isinstance(value, str)]
        self._build = after[0] if after else ""
        self.command = " ".join(str(word) for value in settings if isinstance(value, list) for word in value)
        self._tree: dict[str, str] | None = None

    def find(self, full: str) -> Answer | None:
        """What it answers for a dotted name."""
        if full.partition(".")[0] not in self._names:
            return None
        tree = self._planned()
        base = full.replace(".", "/")
        when = f"as the install plan stands before {self.command or 'the build command'} runs"
        for name, package in ((f"{base}/__init__", True), (base, False)):
            for suffix, kind in self._ordered():
                place = tree.get(name + suffix)
                if place is not None:
                    search = (f"{self._loader}/{full}",) if package else None
                    return Answer(Spec(kind, place, search[0] if search else None), search, when)
        if any(name.startswith(base + "/") for name in tree):
            search = (f"{self._loader}/{full}",)
            return Answer(Spec("namespace", search[0], search[0]), search, when)
        return None

    def _ordered(self) -> list[tuple[str, SpecKind]]:
        return sorted(self._suffixes, key=lambda suffix: suffix[1] != "extension")

    def _planned(self) -> dict[str, str]:
        """Files by their place in site-packages, of ``meson-info/intro-install_plan.json``."""
        if self._tree is None:
            self._tree = {}
            import json

            path = f"{self._build}/meson-info/intro-install_plan.json"
            try:
                data, size = self._files.read_part(path, MAX_PLAN)
                plan = json.loads(data if size <= MAX_PLAN else b"")
                for rows in plan.values():
                    for source, row in rows.items():
                        root, _, place = row["destination"].partition("/")
                        if root in ("{py_platlib}", "{py_purelib}"):
                            self._tree[place] = posixpath.normpath(source)
            except Unreadable as error:
                self._files.miss(error.path, error.why)
            except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
                self._files.miss(path, "no install plan of Meson that can be read")
        return self._tree


def setuptools_settings(literals: Mapping[str, Value]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """``MAPPING`` and ``NAMESPACES`` of a finder module."""
    mapping, namespaces = literals.get("MAPPING"), literals.get("NAMESPACES")
    places = namespaces if isinstance(namespaces, dict) else {}
    return (
        {name: place for name, place in mapping.items() if isinstance(place, str)} if isinstance(mapping, dict) else {},
        {
            name: tuple(str(place) for place in value)
            for name, value in places.items()
            if isinstance(value, list)
        },
    )  # fmt: skip


_CALL = re.compile(r"^([ \t]*)(?:finder = )?(install|install_inplace|MesonpyMetaFinder)\(", re.M)
_BETWEEN = re.compile(r"[,\s]*")


def settings_in(text: str, called: bool) -> list[tuple[str, list[Literal]]]:
    """The finders that a loader's text puts on ``sys.meta_path``: the name called, and its literal arguments.

    ``called``: one of the loader's functions is called, so that what stands in functions counts; else what stands at
    the margin. Arguments that are not literal end the list.
    """
    from envcheck.catalogue.literals import NotLiteral, read_literal

    found = []
    for call in _CALL.finditer(text):
        if bool(call[1]) is not called:
            continue
        arguments: list[Literal] = []
        at = call.end()
        try:
            while True:
                between = _BETWEEN.match(text, at)
                at = at if between is None else between.end()
                value, at = read_literal(text, at)
                arguments.append(value)
        except NotLiteral:
            pass
        if arguments:
            found.append((call[2], arguments))
    return found


def _texts(value: Literal) -> dict[str, str]:
    return {name: place for name, place in value.items() if isinstance(place, str)} if isinstance(value, dict) else {}
