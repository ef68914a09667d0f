"""One metadata directory's files, as bytes, into names, versions, requirements, origins and entry points."""

import re

from envcheck.model.inventory import Direct, normalize_name
from envcheck.model.nouns import Literal, NamedTuple

_HEADER = rb"([!-9;-~]+):[ \t]*(.*)"
_PYTHON_TAG = r"-py\d+(\.\d+)?(-.+)?$"
_MAX_REQUIRES = 10_000
_MAX_TAGS = 1_000


class Headers(NamedTuple):
    """The fields of METADATA or PKG-INFO that matter here; ``None`` where a field is absent."""

    name: str | None
    version: str | None
    requires_dist: tuple[str, ...] = ()


def parse_headers(data: bytes) -> Headers:
    """Name, Version and Requires-Dist: each first (requirements: all), up to the first blank line (RFC 822)."""
    fields: dict[bytes, list[bytes]] = {b"name": [], b"version": [], b"requires-dist": []}
    current: list[bytes] | None = None
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        line = line.rstrip(b"\r")
        if not line.strip():
            break
        if line[:1] in b" \t":
            if current:
                current[-1] += b" " + line.strip()
            continue
        found = re.match(_HEADER, line)
        current = fields.get(found[1].lower()) if found else None
        if found and current is not None and len(current) < _MAX_REQUIRES:
            current.append(found[2].strip())
    return Headers(
        _text(fields[b"name"][0]) if fields[b"name"] else None,
        _text(fields[b"version"][0]) if fields[b"version"] else None,
        tuple(_text(value) for value in fields[b"requires-dist"]),
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def from_directory_name(name: str) -> tuple[str, str]:
    """Name and version as ``NAME-VERSION.dist-info`` or ``NAME-VERSION-pyX.Y.egg-info`` spells them.

    The name ends at the first ``-`` that a digit follows: older tools did not escape a name's own dashes.
    """
    stem, dot, _ = name.rpartition(".")
    stem = re.sub(_PYTHON_TAG, "", stem if dot else name)
    found = re.search(r"-(?=\d)", stem)
    if found is None:
        head, _, tail = stem.partition("-")
        return head, tail
    return stem[: found.start()], stem[found.end() :]


def contradicts(directory_name: str, headers: Headers) -> str | None:
    """How METADATA contradicts its directory's name, in words; ``None`` where both agree.

    A directory name without a version (a development ``.egg-info``) contradicts no version.
    """
    name, version = from_directory_name(directory_name)
    stem = name if not version else f"{name}-{version}"
    if headers.name is None or headers.version is None:
        missing = "Name" if headers.name is None else "Version"
        return f"METADATA has no {missing}"
    if normalize_name(stem) in (normalize_name(f"{headers.name}-{headers.version}"), normalize_name(headers.name)):
        return None
    if normalize_name(name) != normalize_name(headers.name):
        return f"METADATA says {headers.name}, the directory says {name}"
    if version and not _same_version(version, headers.version):
        return f"METADATA says {headers.version}, the directory says {version}"
    return None


def _same_version(one: str, other: str) -> bool:
    """Equal as PEP 440 versions; directory names may write ``_`` or ``-`` for a local version's ``+`` and ``.``."""
    from packaging.version import InvalidVersion, Version

    for spelling in (one, one.replace("_", "+", 1), one.replace("_", "-"), one.replace("-", "+", 1)):
        try:
            if Version(spelling) == Version(other):
                return True
        except InvalidVersion:
            continue
    return one.replace("_", "-") == other.replace("_", "-").replace("+", "-")


def parse_direct_url(data: bytes) -> Direct | None:
    """PEP 610 ``direct_url.json``; ``None`` where it is not of that form."""
    import json

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("url"), str):
        return None
    directory = _table(found, "dir_info")
    vcs = _table(found, "vcs_info")
    archive = _table(found, "archive_info")
    sha256 = _string(_table(archive, "hashes"), "sha256")
    if sha256 is None:
        legacy = _string(archive, "hash") or ""
        sha256 = legacy[7:] if legacy.startswith("sha256=") else None
    return Direct(
        url=found["url"],
        editable=directory.get("editable") is True,
        vcs=_string(vcs, "vcs"),
        commit=_string(vcs, "commit_id"),
        archive_sha256=sha256.lower() if sha256 else None,
        subdirectory=_string(found, "subdirectory"),
    )


def is_built_from(direct: Direct) -> bool:
    """Whether something had to be built to install it: a directory, a repository or a source archive."""
    path = direct.url.partition("#")[0].partition("?")[0]
    return not path.endswith(".whl")


def _table(value: dict[str, object], key: str) -> dict[str, object]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _string(value: dict[str, object], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


Layout = Literal["dist-info", "egg-info", "egg-info-file", "egg", "egg-link"]
"""How a distribution's metadata lies in a site directory."""


def is_platform_built(wheel: bytes) -> bool:
    """Whether WHEEL bears a tag that no index takes (a bare ``linux_x86_64``): such a wheel was built here."""
    for line in wheel.split(b"\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"tag" and re.search(rb"-linux_[a-z0-9_]+\s*$", value):
            return True
    return False


def parse_tags(wheel: bytes) -> tuple[str, ...]:
    """The tags that WHEEL gives, a bounded number of them."""
    pairs = (line.partition(b":") for line in wheel.split(b"\n")[:_MAX_TAGS])
    return tuple(_text(value.strip()) for key, _, value in pairs if key.strip().lower() == b"tag")
