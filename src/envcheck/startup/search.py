"""``sys.path`` and ``sys.meta_path`` as they stand at one moment of a simulated start, and what they answer."""

import posixpath
from collections.abc import Mapping
from typing import NamedTuple

from envcheck.files.root import Files
from envcheck.formats.values import Value
from envcheck.model.environment import Environment
from envcheck.startup.modules import Finders, Spec
from envcheck.startup.names import STANDARD


class PathEntry(NamedTuple):
    """One entry of the simulated ``sys.path``."""

    path: str
    when: str | None = None
    """The condition under which it is there."""
    added_by: str | None = None
    """The file whose line or code added it."""


class Search:
    """The search path, which grows while the start runs."""

    def __init__(self, files: Files, environment: Environment, finders: Finders) -> None:
        self._files = files
        self._environment = environment
        self._finders = finders
        self.path: list[PathEntry] = []
        """``sys.path``."""
        self.mapping: dict[str, str] = {}
        """Dotted names that editable finders on ``sys.meta_path`` answer for, with their places."""

    def find(self, name: str) -> list[tuple[Spec, PathEntry]]:
        """What a top-level import may load: places that are there conditionally, then the first certain one."""
        return self.find_in(tuple(self.path), name, name)

    def find_in(self, entries: tuple[PathEntry, ...], full: str, tail: str) -> list[tuple[Spec, PathEntry]]:
        """The same for any path: ``full`` is the dotted name, ``tail`` its last component."""
        found: list[tuple[Spec, PathEntry]] = []
        portions: list[tuple[Spec, PathEntry]] = []
        for entry in entries:
            if self._finders.symbolic(entry.path):
                continue
            spec = self._finders.find(entry.path, tail)
            if spec is None:
                continue
            if spec.kind == "namespace":
                portions.append((spec, entry))
                continue
            if entry.when is None:
                # A place that may come earlier, too, is the same file all the same.
                return [(other, place) for other, place in found if other.path != spec.path] + [(spec, entry)]
            if all(other.path != spec.path for other, _ in found):
                found.append((spec, entry))
        mapped = self._mapped(full)
        if mapped is not None:
            found.append((mapped, PathEntry(posixpath.dirname(mapped.path))))
        elif portions:
            # A namespace package is the last resort; one sure portion makes it sure.
            spec, entry = next((portion for portion in portions if portion[1].when is None), portions[0])
            places = "\0".join(portion.path for portion, _ in portions)
            found.append((spec._replace(search=places), entry))
        return found

    def _mapped(self, full: str) -> Spec | None:
        """What an editable finder on ``sys.meta_path`` answers, after ``sys.path`` had nothing."""
        for name in sorted(self.mapping, key=len, reverse=True):
            if full != name and not full.startswith(name + "."):
                continue
            place = self.mapping[name]
            if self._finders.symbolic(place):
                continue
            if full != name:
                place = posixpath.join(place, *full[len(name) + 1 :].split("."))
            elif place.endswith(".py"):
                directory, file = posixpath.split(place)
                package = directory if file == "__init__.py" else None
                return Spec("source", place, package) if self._files.is_file(place) else None
            directory, tail = posixpath.split(place)
            spec = self._finders.find(directory, tail)
            if spec is not None:
                return spec
        return None

    def install(self, literals: Mapping[str, Value]) -> None:
        """``install()`` of a setuptools editable finder: its MAPPING answers what ``sys.path`` does not."""
        mapping, namespaces = literals.get("MAPPING"), literals.get("NAMESPACES")
        if isinstance(mapping, dict):
            self.mapping.update({name: place for name, place in mapping.items() if isinstance(place, str)})
        if isinstance(namespaces, dict):
            for name, places in namespaces.items():
                if isinstance(places, list) and places and isinstance(places[0], str):
                    self.mapping.setdefault(name, places[0])

    def knows_everything(self, name: str) -> bool:
        """Whether a module that was not found cannot be anywhere: no unknown or conditional place on ``sys.path``."""
        if self._environment.stdlib is None or name.partition(".")[0] in STANDARD or self._finders.blind:
            return False
        return not any(e.when is not None or self._finders.symbolic(e.path) for e in self.path)

    def is_standard(self, full: str, path: str) -> bool:
        """Whether a file is the standard library's: by its place and its name, so that a planted one is not."""
        stdlib = self._environment.stdlib
        if stdlib is None or full.partition(".")[0] not in STANDARD or not path.startswith(stdlib + "/"):
            return False
        return "/site-packages/" not in path[len(stdlib) :] and "/dist-packages/" not in path[len(stdlib) :]

    def outside(self, directory: str) -> str | None:
        """The directory, where it is neither a site directory nor inside the environment or its base."""
        environment = self._environment
        for inside in (environment.path, environment.python.base_prefix):
            if directory == inside or directory.startswith(inside.rstrip("/") + "/"):
                return None
        known = {d.path for d in environment.site_sequence} | set(environment.initial_path)
        return None if directory in known else directory
