"""Poetry's cache of archives into candidates: by URL and hash, else by file name.

An archive is ``artifacts/aa/bb/cc/<the rest>/<file name>``, under the sha256 of a JSON text of its link's URL and hash
(`poetry.utils.cache.ArtifactCache`). Wheels that Poetry built from an sdist lie beside that sdist: they have names as
good as any, and other hashes than the lock's.
"""

from __future__ import annotations

import hashlib
import json

from envcheck.anchors.sources.names import filename_wanted, fitting, wheel_name
from envcheck.files.root import Files
from envcheck.model.anchor import Held, Wanted

_HEX = frozenset("0123456789abcdef")
_DEEPEST = 4


class PoetryCache:
    """One cache directory of Poetry's, walked once and only where a URL did not lead to an archive."""

    def __init__(self, files: Files, directory: str) -> None:
        self._files = files
        self._top = directory.rstrip("/\\") + "/artifacts"
        self._names: dict[str, dict[str, list[str]]] | None = None
        """Project to file name to paths."""

    def by_url(self, wanted: Wanted) -> list[Held]:
        """The archive of the lock's own URL, where the lock gives a file name as well."""
        name = filename_wanted(wanted)
        if wanted.url is None or name is None:
            return []
        url = wanted.url.partition("#")[0]
        links: list[dict[str, str]] = [{"url": url, algorithm: digest} for algorithm, digest in wanted.hashes]
        paths = [f"{self._top}/{_place(link)}/{name}" for link in [*links, {"url": url}]]
        return [Held(path, origin="cache") for path in paths if self._files.is_file(path)]

    def by_name(self, wanted: Wanted) -> list[Held]:
        """Archives of the file name that the lock gives, or of its name and version."""
        if self._names is None:
            self._names = self._listed()
        found = self._names.get(wanted.name, {})
        paths = [path for name in fitting(list(found), wanted) for path in found[name]]
        return [Held(path, origin="cache") for path in paths]

    def _listed(self) -> dict[str, dict[str, list[str]]]:
        names: dict[str, dict[str, list[str]]] = {}
        depth = self._top.count("/")
        for directory in self._files.walk(self._top):
            below = directory.path.count("/") - depth
            directory.dirs[:] = [name for name in directory.dirs if below < _DEEPEST and set(name) <= _HEX]
            for name in directory.files if below == _DEEPEST else ():
                parts = wheel_name(name)
                if parts is not None:
                    names.setdefault(parts.name, {}).setdefault(name, []).append(f"{directory.path}/{name}")
        return names


def _place(link: dict[str, str]) -> str:
    text = json.dumps(link, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    key = hashlib.sha256(text.encode("ascii")).hexdigest()
    return "/".join([key[:2], key[2:4], key[4:6], key[6:]])
