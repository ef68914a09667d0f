"""Directories of wheels that the user names into candidates: by file name, then any wheel by its hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envcheck.anchors.sources.bodies import Body, search, whole
from envcheck.anchors.sources.names import fitting, wheel_name
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import Held, Wanted
from envcheck.model.errors import UsageError


class Wheelhouse:
    """One directory, listed once; links to wheels are followed, anything but a regular file is passed over."""

    def __init__(self, files: Files, directory: str) -> None:
        """Raises `UsageError` where it cannot be listed: the user named it."""
        try:
            listed = files.directory(directory)
        except Unreadable as error:
            raise UsageError(f"--wheels {directory}: {error.why}", "name a directory that has wheels in it") from None
        self._files = files
        self._directory = directory
        self._by_project: dict[str, list[str]] = {}
        self._others: list[str] = []
        for name in sorted([*listed.files, *listed.links]):
            if not name.lower().endswith(".whl"):
                continue
            parts = wheel_name(name)
            if parts is not None:
                self._by_project.setdefault(parts.name, []).append(name)
            self._others.append(name)

    def by_name(self, wanted: Wanted) -> list[Held]:
        """Wheels that the lock names, or of the name and version that it does."""
        names = fitting(self._by_project.get(wanted.name, []), wanted)
        return [Held(path) for path in map(self._path, names) if self._files.is_file(path)]

    def by_hash(self, wanted: Sequence[Wanted]) -> dict[Wanted, list[Held]]:
        """Wheels that have another name than the lock says, or none of a wheel's."""
        return search(self._files, self._bodies(), wanted, "wheels")

    def _bodies(self) -> Iterator[Body]:
        for name in self._others:
            body = whole(self._files, self._path(name))
            if body is not None:
                yield body

    def _path(self, name: str) -> str:
        return self._directory.rstrip("/") + "/" + name
