"""URLs, file names and hashes as locks write them, into the parts that a comparison needs.

Reading keeps what the lock says, also where it is weak; ``quality`` judges it.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from envcheck.model.lock import Artifact
from envcheck.model.nouns import Literal

ARCHIVE_ENDINGS = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar", ".tbz", ".txz", ".tlz", ".tar.lz")

_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_HEX = "0123456789abcdef"


def without_credentials(url: str) -> str:
    """The URL without ``user:password@``, as reports may show it."""
    return _CREDENTIALS.sub(r"\1", url) if "@" in url else url


def filename_of(url: str) -> str:
    """The last part of a URL's or path's path, percent-decoded."""
    if "#" not in url and "%" not in url and "?" not in url and not url.endswith("/"):
        return url[url.rfind("/") + 1 :]
    path = url.partition("#")[0].partition("?")[0]
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return unquote(name, errors="surrogateescape") if "%" in name else name


def archive_kind(filename: str | None) -> Literal["wheel", "sdist", "unknown"]:
    """By its ending; ``unknown`` where the lock gives no file name."""
    if filename is None:
        return "unknown"
    lowered = filename.lower()
    if lowered.endswith(".whl"):
        return "wheel"
    return "sdist" if lowered.endswith(ARCHIVE_ENDINGS) else "unknown"


def parse_hash(text: str) -> tuple[str, str] | None:
    """``sha256:<hex>`` as (algorithm, digest), both lower case; ``None`` where it has not that shape."""
    algorithm, colon, digest = text.partition(":")
    if not colon or not algorithm or not digest:
        return None
    return algorithm.lower(), digest.lower()


def artifact(filename: str | None, url: str | None, hashes: tuple[tuple[str, str], ...]) -> Artifact:
    """An artifact of which only a URL or a file name and its hashes are known."""
    name = filename if filename is not None or url is None else filename_of(url)
    return Artifact(name, url, hashes, kind=archive_kind(name))


def full_commit(text: str | None) -> str | None:
    """A whole SHA-1 or SHA-256 object name in lower case, else ``None``: a branch or a short name moves."""
    if text is None:
        return None
    lowered = text.lower()
    return lowered if _COMMIT.fullmatch(lowered) else None


def fragment_hash(url: str) -> tuple[tuple[str, str], ...]:
    """The hash in a URL's fragment (``#sha256=<hex>``, also beside ``egg=`` and ``subdirectory=``)."""
    found = []
    for part in url.partition("#")[2].split("&"):
        key, equals, value = part.partition("=")
        if equals and key.lower() in ("sha256", "sha384", "sha512", "sha224", "sha1", "md5"):
            found.append((key.lower(), value.lower()))
    return tuple(found)


def is_hex(text: str) -> bool:
    """Only lower-case hexadecimal digits, and some."""
    return bool(text) and not text.strip(_HEX)


def comparable_url(url: str) -> str:
    """A URL for comparison: no credentials, fragment, ``git+``, ``.git`` or last slash; lower-case scheme and host."""
    text = without_credentials(url.removeprefix("git+")).partition("#")[0].partition("?")[0].rstrip("/")
    text = text.removesuffix(".git")
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{unquote(path, errors='surrogateescape')}"


def file_url_path(url: str) -> str | None:
    """The path that a ``file:`` URL names, or ``None`` for any other URL."""
    if not url.lower().startswith("file:"):
        return None
    rest = url[5:].partition("#")[0].partition("?")[0]
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            return None
        rest = "/" + path
    return unquote(rest, errors="surrogateescape")
