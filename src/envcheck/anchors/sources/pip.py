"""pip's HTTP cache into candidates: by the URL that the lock gives, else by the hash of each response in it.

Since pip 23.3 a response is ``http-v2/a/b/c/d/e/<key>`` with its body beside it in ``<key>.body``; before, one file
``http/a/b/c/d/e/<key>`` has both. A key is sha224 of the URL (`cachecontrol.caches.file_cache`). What pip built itself
(``wheels/``) is bound to nothing and not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote, urlsplit

from envcheck.anchors.sources.bodies import Body, search, whole
from envcheck.anchors.sources.cachecontrol import HEAD, body_range
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import Held, Wanted

_HEX = frozenset("0123456789abcdef")
_KEY = 56
"""Hexadecimal digits of a sha224."""
_DEEPEST = 5


class PipCache:
    """One cache directory of pip's; what cannot be read is passed over, it is only a place to look."""

    def __init__(self, files: Files, directory: str) -> None:
        self._files = files
        self._separate = directory.rstrip("/\\") + "/http-v2"
        self._joined = directory.rstrip("/\\") + "/http"

    def by_url(self, wanted: Wanted) -> list[Held]:
        """The response to the lock's own URL."""
        found = []
        for url in spellings(wanted.url) if wanted.url is not None else ():
            key = hashlib.sha224(url.encode("utf-8", "surrogatepass")).hexdigest()
            place = "/".join(["", *key[:5], key])
            for body in (whole(self._files, f"{self._separate}{place}.body"), self._within(self._joined + place)):
                if body is not None and wanted.size in (None, body.length):
                    found.append(Held(*body, origin="cache"))
        return found

    def by_hash(self, wanted: Sequence[Wanted]) -> dict[Wanted, list[Held]]:
        """Responses to any URL."""
        return search(self._files, self._bodies(), wanted, "cache")

    def _bodies(self) -> Iterator[Body]:
        for path in self._entries(self._separate):
            if path.endswith(".body") and (body := whole(self._files, path)) is not None:
                yield body
        for path in self._entries(self._joined):
            if (body := self._within(path)) is not None:
                yield body

    def _entries(self, top: str) -> Iterator[str]:
        depth = top.count("/")
        for directory in self._files.walk(top):
            below = directory.path.count("/") - depth
            directory.dirs[:] = [name for name in directory.dirs if below < _DEEPEST and name in _HEX]
            for name in directory.files:
                if set(name.removesuffix(".body")) <= _HEX and len(name.removesuffix(".body")) == _KEY:
                    yield f"{directory.path}/{name}"

    def _within(self, path: str) -> Body | None:
        """The body inside an entry that has all in one file."""
        if not self._files.is_file(path):
            return None
        try:
            head, size = self._files.read_part(path, HEAD)
        except Unreadable:
            return None
        found = body_range(head)
        if found is None or sum(found) > size:
            return None
        return Body(path, *found)


def spellings(url: str) -> list[str]:
    """What pip may have asked for where a lock has this URL: no credentials, no fragment, quoted in either way.

    pip quotes the path of a link again (`Link`), requests leaves what is quoted as it is.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        again = quote(unquote(parts.path, errors="surrogateescape"), errors="surrogateescape")
    except ValueError:
        return []
    if parts.scheme.lower() not in ("http", "https") or not host:
        return []
    query = f"?{parts.query}" if parts.query else ""
    paths = dict.fromkeys([parts.path or "/", again or "/", again.replace("%2B", "+") or "/"])
    return [f"{parts.scheme.lower()}://{host}{path}{query}" for path in paths]
