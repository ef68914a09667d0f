"""A package index in a directory of this machine, which the user named by a ``file:`` URL, into candidates."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.anchors.sources.bodies import has_hash
from envcheck.anchors.sources.index import NOT_THERE, choose, project_page
from envcheck.anchors.sources.simple import Link, links
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import Held, Wanted

PAGE = 16 << 20


class LocalIndex:
    """Pages ``<directory>/<project>/index.html``; a link may only lead to a file, and counts only by its hash."""

    def __init__(self, files: Files, url: str) -> None:
        self._files = files
        self._url = url
        self._pages: dict[str, list[Link]] = {}

    def fetch(self, wanted: Wanted) -> tuple[list[Held], str | None]:
        """The archive where it lies; else why there is none."""
        page = project_page(self._url, wanted)
        if page not in self._pages:
            try:
                text = self._files.read(path_of(page) + "index.html", PAGE)
            except Unreadable as error:
                return [], f"the index has no page of it: {error.why}"
            self._pages[page] = links(text, "text/html", page)
        found = list(self._right(wanted, self._pages[page]))
        return found, None if found else NOT_THERE

    def _right(self, wanted: Wanted, offered: list[Link]) -> Iterator[Held]:
        for link in choose(offered, wanted):
            held = Held(path_of(link.url), origin="fetched")
            if is_local(link.url) and has_hash(self._files, held, wanted):
                yield held


def is_local(url: str) -> bool:
    """Whether a URL names a file of this machine."""
    return url[:8].lower() == "file:///"


def path_of(url: str) -> str:
    """The path that such a URL names."""
    from urllib.parse import unquote, urlsplit

    path = unquote(urlsplit(url).path, errors="surrogateescape")
    # file:///C:/index
    return path[1:] if path[2:3] == ":" else path
