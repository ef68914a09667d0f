"""Turns a path into a URI: relative where the file lies in the project, else ``file:``; percent-encoded byte for byte.

Only unreserved characters (RFC 3986) and ``/`` stand as they are, so that no name of an attacker's becomes a scheme, a
host, a query, a fragment or a step upwards.
"""

from __future__ import annotations

import posixpath
from urllib.parse import quote

from envcheck.reports.text import printable


def relative_uri(path: str, directory: str | None) -> str | None:
    """The URI of ``path`` relative to ``directory``; ``None`` where it does not lie below it."""
    if directory is None or not _is_plain(path):
        return None
    prefix = posixpath.normpath(directory).rstrip("/") + "/"
    return quoted(path[len(prefix) :]) if path.startswith(prefix) and len(path) > len(prefix) else None


def file_uri(path: str) -> str:
    """``file:///…`` of an absolute path; of any other text, as if it stood at the root."""
    # A second slash would begin the name of a host; a reader resolves dots even where they are encoded.
    return "file:///" + quoted(posixpath.normpath("/" + path).lstrip("/"))


def directory_uri(path: str) -> str:
    """As `file_uri`, with the slash at its end that a base of relative URIs needs."""
    return file_uri(path).rstrip("/") + "/"


def quoted(path: str) -> str:
    """The path with every byte percent-encoded that is neither unreserved nor a slash."""
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = printable(path).encode()
    return quote(data, safe="/")


def _is_plain(path: str) -> bool:
    return path.startswith("/") and posixpath.normpath(path) == path
