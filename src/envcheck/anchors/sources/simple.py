"""A project's page of a package index (PEP 503 HTML, PEP 691 JSON) into links to archives. It is not believed."""

from __future__ import annotations

import contextlib
import html
import json
import re

from envcheck.anchors.sources.bodies import STRONG
from envcheck.anchors.sources.names import filename_of
from envcheck.anchors.sources.urls import BadUrl, joined
from envcheck.model.nouns import NamedTuple

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
MOST_LINKS = 100_000
_LONGEST = 8192
"""Characters of one element."""
_MOST_ATTRIBUTES = 32
_START = re.compile(r"<(a|base)(?=\s)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?""")


class Link(NamedTuple):
    """One archive that an index offers."""

    filename: str
    url: str
    """Absolute, without fragment."""
    hashes: tuple[tuple[str, str], ...]
    """``(algorithm, lower-case hex)`` pairs, where the page has strong ones."""


def links(page: bytes, kind: str, url: str) -> list[Link]:
    """The wheels on a page that came from ``url`` with the content type ``kind``; what cannot be read is left out."""
    if "json" in kind.partition(";")[0].lower():
        return _of_json(page, url)
    return _of_html(page.decode("utf-8", "replace"), url)


def _of_json(page: bytes, url: str) -> list[Link]:
    try:
        document = json.loads(page)
    except (ValueError, RecursionError):
        return []
    files = document.get("files") if isinstance(document, dict) else None
    found = []
    for file in files[:MOST_LINKS] if isinstance(files, list) else ():
        if not isinstance(file, dict):
            continue
        target, name, hashes = file.get("url"), file.get("filename"), file.get("hashes")
        pairs = hashes.items() if isinstance(hashes, dict) else ()
        if isinstance(target, str):
            named = name if isinstance(name, str) else filename_of(target)
            found.append(_link(url, target, named, [(str(key), str(value)) for key, value in pairs]))
    return [link for link in found if link is not None]


def _of_html(page: str, url: str) -> list[Link]:
    base = None
    found: list[Link] = []
    start = _START.search(page)
    while start is not None and len(found) < MOST_LINKS:
        target, end = _href(page, start.end())
        if target is not None and start[1].lower() == "a":
            link = _link(base or url, target, filename_of(target), [])
            found += [] if link is None else [link]
        elif target is not None and base is None:
            with contextlib.suppress(BadUrl):
                base = joined(url, target)
        start = _START.search(page, end)
    return found


def _href(page: str, at: int) -> tuple[str | None, int]:
    """The ``href`` of the element whose attributes begin here, and where they end."""
    target: str | None = None
    end = min(len(page), at + _LONGEST)
    for _ in range(_MOST_ATTRIBUTES):
        match = _ATTRIBUTE.match(page, at, end)
        if match is None:
            break
        if target is None and match[1].lower() == "href":
            value = next((part for part in match.groups()[1:] if part is not None), "")
            target = html.unescape(value).strip()
        at = match.end()
    return target, at


def _link(base: str, target: str, filename: str, hashes: list[tuple[str, str]]) -> Link | None:
    if len(target) > _LONGEST or not filename.lower().endswith(".whl"):
        return None
    try:
        url = joined(base, target)
    except BadUrl:
        return None
    url, _, fragment = url.partition("#")
    pairs = [*hashes, *((key, value) for key, _, value in (part.partition("=") for part in fragment.split("&")))]
    strong = [(key.lower(), value.lower()) for key, value in pairs if key.lower() in STRONG]
    return Link(filename, url, tuple(dict.fromkeys(strong)))
