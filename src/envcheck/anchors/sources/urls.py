"""A URL that a lock, an index or the user names into the parts of a request; anything odd is refused."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from envcheck.model.nouns import NamedTuple

_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""What stands for itself in a URL, or is quoted already."""
_LONGEST = 8192
PORTS = {"http": 80, "https": 443}


class BadUrl(Exception):
    """No URL to ask; ``why`` is one clause."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Url(NamedTuple):
    """An absolute URL of http or https."""

    scheme: str
    host: str
    """ASCII; an IPv6 address without brackets."""
    port: int
    target: str
    """Path and query, quoted."""
    user: str | None = None
    password: str | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials belong to."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host, and port where it is not the usual one, as a request spells them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """Without credentials and query, which may hold a token: what may be told."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"

    @property
    def here(self) -> bool:
        """Whether it stays on this machine."""
        parts = self.host.split(".")
        loopback = len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)
        return loopback or self.host in ("localhost", "::1")


def parse(text: str) -> Url:
    """Raises `BadUrl`."""
    if len(text) > _LONGEST:
        raise BadUrl("its URL is longer than any that is asked for")
    if any(character <= " " or character == "\x7f" for character in text):
        raise BadUrl("its URL has blanks or control characters in it")
    try:
        parts = urlsplit(text.partition("#")[0])
        port = parts.port
        host = parts.hostname or ""
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
        target = quote(parts.path or "/", _KEPT) + (f"?{quote(parts.query, _KEPT)}" if parts.query else "")
    except (ValueError, UnicodeError):
        raise BadUrl("its URL cannot be read") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise BadUrl(f"its URL is not of http or https ({scheme or 'no scheme'})")
    if not ascii_host or not all(character.isalnum() or character in ".-_:" for character in ascii_host):
        raise BadUrl("its URL names no host")
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return Url(scheme, ascii_host.lower(), PORTS[scheme] if port is None else port, target, user, password)


def is_remote(text: str | None) -> bool:
    """Whether a lock's URL is one to ask over a network."""
    return text is not None and text[:8].lower().startswith(("http://", "https://"))


def joined(base: str, reference: str) -> str:
    """A reference as it stands in a page, made absolute. Raises `BadUrl`."""
    try:
        return urljoin(base, reference)
    except ValueError:
        raise BadUrl("a link cannot be read") from None
