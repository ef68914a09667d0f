"""The user's credentials for a host: from the URL that names it, from the index that the user named, from ``.netrc``.

They go to the host that they are for, over TLS or to this machine; no page, redirection or lock can send them on. The
``default`` entry of a ``.netrc`` is for hosts that nobody named, and is not used: a lock could name its own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from envcheck.anchors.sources.urls import Url

Login = tuple[str, str]
_FIELDS = {"login": 0, "user": 0, "password": 1, "account": 2}


class Credentials:
    """What is known of whom; ``entries`` from `parse_netrc`, ``named`` the index that the user named."""

    def __init__(self, entries: Mapping[str, Login] | None = None, named: Url | None = None) -> None:
        self._entries = entries or {}
        self._named = named

    def header(self, url: Url) -> str | None:
        """The value of ``Authorization`` for the URL that was asked for, never for one that it led to."""
        login = self._login(url)
        return None if login is None else basic(*login)

    def _login(self, url: Url) -> Login | None:
        named = self._named
        if named is not None and named.user is not None and named.origin == url.origin:
            return named.user, named.password or ""
        if url.scheme != "https" and not url.here:
            return None
        if url.user is not None:
            return url.user, url.password or ""
        return self._entries.get(url.host)


def basic(user: str, password: str) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")


def parse_netrc(text: str) -> dict[str, Login]:
    """Host to login and password; what is no entry is passed over, and so is ``default``."""
    words = _words(text)
    found: dict[str, Login] = {}
    host: str | None = None
    fields = ["", "", ""]
    index = 0
    while index < len(words):
        word = words[index]
        value = words[index + 1] if index + 1 < len(words) else ""
        if word in ("machine", "default"):
            if host is not None and host not in found:
                found[host] = (fields[0], fields[1])
            host = value.lower() if word == "machine" else None
            fields = ["", "", ""]
            index += 2 if word == "machine" else 1
        elif word in _FIELDS:
            fields[_FIELDS[word]] = value
            index += 2
        else:
            index += 1
    if host is not None and host not in found:
        found[host] = (fields[0], fields[1])
    return found


def _words(text: str) -> list[str]:
    """The words of a ``.netrc``: no comments, no macros, quotes and backslashes resolved."""
    words: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.lstrip().startswith("#"):
            continue
        found = _line_words(line)
        if "macdef" in found:
            words += found[: found.index("macdef")]
            for body in lines:
                if not body.strip():
                    break
            continue
        words += found
    return words


def _line_words(line: str) -> list[str]:
    words: list[str] = []
    word = ""
    begun = quoted = escaped = False
    for character in line:
        if escaped:
            word, escaped = word + character, False
        elif character == "\\":
            begun = escaped = True
        elif character == '"' and (quoted or not begun):
            begun, quoted = True, not quoted
        elif character.isspace() and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    return [*words, word] if begun else words
