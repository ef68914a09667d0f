"""A Lock into what its entries are not good for: no hash, a weak one, a source or reference that can change.

Judged over the whole lock, whatever is selected: another machine installs from the same file.
"""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterator

from envcheck.locks.archives import archive_kind, filename_of, is_hex
from envcheck.model.inventory import normalize_name
from envcheck.model.lock import Artifact, Lock, LockedPackage, LockProblem

HEX_DIGITS = {
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha3_256": 64,
    "sha3_384": 96,
    "sha3_512": 128,
    "blake2b": 128,
}
"""Algorithms that nobody finds a second file for, and the length of their digests in hexadecimal."""

_HASHED = ("registry", "url", "path")
_PATHS = ("path", "directory", "editable", "virtual")
_LOOKS = str.maketrans({"l": "1", "i": "1", "o": "0"})
_LOOPBACK = ("localhost", "[::1]")
_PLAIN = ("http://", "ftp://", "git://", "svn://", "bzr://", "git+http://", "git+git://", "svn+http://", "hg+http://")


def problems(lock: Lock) -> tuple[LockProblem, ...]:
    """In the order of the lock; what is one fact about many entries (a plain ``http`` host) is told once."""
    hosts: set[str] = set()
    found: list[LockProblem] = []
    for package in lock.packages:
        if package.constraint:
            continue
        found += _hidden(package)
        found += _hashes(package)
        found += _names(package)
        found += _transport(package, hosts)
        if package.source_kind == "git" and package.commit is None:
            message = f"{_shown(package)} is taken from {package.source} without a full commit: what it names can move"
            found.append(LockProblem("lock-mutable-reference", package.where, message, package.name))
        elsewhere = outside(posixpath.dirname(lock.path), package.source) if package.source_kind in _PATHS else None
        if elsewhere is not None:
            message = f"{_shown(package)} is taken from {elsewhere}, outside of the directory of the lock"
            found.append(LockProblem("lock-path-outside", package.where, message, package.name))
    return (*found, *_look_alikes(lock))


def outside(directory: str, source: str | None) -> str | None:
    """A path of a lock as seen from the lock's directory, where it leads out of that; ``None`` where it does not."""
    if source is None or "://" in source:
        return None
    relative = posixpath.relpath(posixpath.join(directory, source.replace("\\", "/")), directory)
    return relative if relative == ".." or relative.startswith("../") else None


def is_strong(algorithm: str, digest: str) -> bool:
    """Whether a hash can prove an archive's bytes."""
    return HEX_DIGITS.get(algorithm) == len(digest) and is_hex(digest)


def _hidden(package: LockedPackage) -> Iterator[LockProblem]:
    """Characters that a reader of the file does not see, or takes for others."""
    texts = [package.source, package.version, package.subdirectory]
    for artifact in package.artifacts:
        texts += (artifact.filename, artifact.url)
    whole = "".join(filter(None, texts))
    if whole.isascii() and whole.isprintable():
        return
    for text in texts:
        if text is None or (text.isascii() and text.isprintable()):
            continue
        odd = next(character for character in text if not (character.isascii() and character.isprintable()))
        if odd.isprintable() and (package.source_kind in _PATHS or "://" not in text):
            # A directory of one's own may be called anything that can be read.
            continue
        message = f"{_shown(package)}: {text!a} has a character that does not show, or looks like another"
        yield LockProblem("lock-insecure-source", package.where, message, package.name)
        return


def _look_alikes(lock: Lock) -> Iterator[LockProblem]:
    """Two names of one lock that a reader takes for the same (``l`` and ``1``, ``o`` and ``0``, ``rn`` and ``m``)."""
    seen: dict[str, LockedPackage] = {}
    for package in lock.packages:
        first = seen.setdefault(package.name.translate(_LOOKS).replace("rn", "m").replace("vv", "w"), package)
        if first.name != package.name:
            message = f"{_shown(package)} has a name that looks like {first.name}"
            yield LockProblem("lock-insecure-source", package.where, message, package.name)


def _hashes(package: LockedPackage) -> Iterator[LockProblem]:
    if package.source_kind not in _HASHED:
        return
    unhashed = [artifact for artifact in package.artifacts if not artifact.hashes]
    if unhashed or not package.artifacts:
        count = f"{len(unhashed)} of {len(package.artifacts)} archives" if len(package.artifacts) > 1 else "its archive"
        message = f"{_shown(package)}: no hash for {count}"
        yield LockProblem("lock-unhashed", package.where, message, package.name)
    for artifact in package.artifacts:
        if artifact.hashes and not (
            is_strong(*artifact.hashes[0]) or any(is_strong(*pair) for pair in artifact.hashes)
        ):
            algorithm, digest = artifact.hashes[0]
            why = (
                f"only {algorithm}"
                if algorithm not in HEX_DIGITS
                else f"a malformed {algorithm} ({len(digest)} characters)"
            )
            message = f"{_shown(package)}: {why} for {artifact.filename or 'its archive'}"
            yield LockProblem("lock-weak-hash", package.where, message, package.name)
            return


def _names(package: LockedPackage) -> Iterator[LockProblem]:
    """An archive whose name is another project's, or that leads out of its directory."""
    if not package.name:
        return
    for artifact in package.artifacts:
        why = _misnamed(package, artifact)
        if why is not None:
            yield LockProblem("lock-insecure-source", package.where, f"{_shown(package)}: {why}", package.name)
            return


def _misnamed(package: LockedPackage, artifact: Artifact) -> str | None:
    filename = artifact.filename
    if filename is None:
        return None
    if "/" in filename or "\\" in filename or filename in ("", ".", ".."):
        return f"{filename!r} is not a plain file name"
    if artifact.url is not None and package.source_kind != "path" and "/../" in f"/{artifact.url}":
        return f"{artifact.url!r} leads out of its directory"
    in_url = filename if artifact.url is None or artifact.url.endswith(f"/{filename}") else filename_of(artifact.url)
    if in_url != filename and archive_kind(in_url) != "unknown":
        return f"{filename!r} is {in_url!r} in its URL"
    if artifact.kind == "wheel":
        project, _, rest = filename.partition("-")
        if _normalized(project) != package.name:
            return f"{filename!r} is a wheel of another project"
        if package.version is not None and not _same_version(rest.partition("-")[0], package.version):
            return f"{filename!r} is a wheel of another version"
    elif (
        artifact.kind == "sdist"
        and package.source_kind == "registry"
        and not _normalized(filename).startswith(package.name)
    ):
        return f"{filename!r} is an archive of another project"
    return None


def _same_version(in_filename: str, version: str) -> bool:
    if in_filename == version:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(in_filename.replace("_", "+" if "+" in version else "-")) == Version(version)
    except InvalidVersion:
        return False


def _transport(package: LockedPackage, hosts: set[str]) -> Iterator[LockProblem]:
    """A source that is fetched without encryption; one on this machine itself is nobody's to change on the way."""
    for url in (package.source, *[artifact.url for artifact in package.artifacts]):
        plain = None if url is None or url.startswith("https://") else plain_host(url)
        if plain is None or plain[1] in hosts:
            continue
        scheme, host = plain
        hosts.add(host)
        what = f"{_shown(package)} and what else comes from {host}"
        message = f"{what} is fetched over {scheme}, which anyone on the way can change"
        yield LockProblem("lock-insecure-source", package.where, message, package.name)


def plain_index(url: str, where: str) -> Iterator[LockProblem]:
    """The problem of an index that is asked without encryption."""
    plain = plain_host(url)
    if plain is not None:
        message = (
            f"what comes from the index at {plain[1]} is fetched over {plain[0]}, which anyone on the way can change"
        )
        yield LockProblem("lock-insecure-source", where, message)


def plain_host(url: str) -> tuple[str, str] | None:
    """Scheme and host of a URL that is fetched without encryption, unless the host is this machine itself."""
    if not url.lower().startswith(_PLAIN):
        return None
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2].lower()
    name = host if host.startswith("[") and host.endswith("]") else host.rpartition(":")[0] or host
    if name in _LOOPBACK or _is_loopback_address(name):
        return None
    return scheme.lower(), host


def _is_loopback_address(host: str) -> bool:
    parts = host.split(".")
    return len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)


@functools.lru_cache(maxsize=4096)
def _normalized(name: str) -> str:
    return normalize_name(name)


def _shown(package: LockedPackage) -> str:
    name = package.name or package.source or package.where
    return f"{name} {package.version}" if package.version else name
