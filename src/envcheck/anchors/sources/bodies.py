"""Ranges of files that may be wheels into those that are worth hashing, and their hashes: for archives without a name.

A wheel's end lists its members, and among them stands ``NAME-VERSION.dist-info/``. It is read first, so that a cache
of many gigabytes is not hashed for one archive. It is a hint: what it misleads about is not found.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence

from envcheck.anchors.sources.names import comparable_version, is_of
from envcheck.files.root import Files, Unreadable
from envcheck.model.anchor import AnchorSource, Held, Wanted
from envcheck.model.inventory import normalize_name
from envcheck.model.nouns import NamedTuple

STRONG = ("sha256", "sha512", "sha384")
"""Algorithms that a lock may name an archive by, the usual one first."""
MAGIC = b"PK\x03\x04"
TAIL = 64 << 10
CHUNK = 1 << 20
MOST = 64 << 30
"""Bytes that are hashed in one search."""
_DIST_INFO = re.compile(rb"([A-Za-z0-9][A-Za-z0-9._]{0,200})-([0-9A-Za-z!+._]{1,200})\.dist-info/")


class Body(NamedTuple):
    """A range of a file."""

    path: str
    offset: int
    length: int


def algorithm_of(wanted: Wanted) -> str | None:
    """The algorithm by which an archive is looked for: the first strong one that the lock gives."""
    given = {algorithm for algorithm, _ in wanted.hashes}
    return next((algorithm for algorithm in STRONG if algorithm in given), None)


def digests_of(wanted: Wanted) -> list[tuple[str, str]]:
    """The lock's hashes of that algorithm."""
    algorithm = algorithm_of(wanted)
    return [pair for pair in wanted.hashes if pair[0] == algorithm]


def search(
    files: Files, bodies: Iterable[Body], wanted: Sequence[Wanted], origin: AnchorSource
) -> dict[Wanted, list[Held]]:
    """The wanted archives among some ranges of files, by their hashes. What cannot be read is passed over.

    A lock that gives hashes alone may mean several archives by them, for several platforms: all are looked for.
    """
    by_digest: dict[tuple[str, str], list[Wanted]] = {}
    for one in wanted:
        for pair in digests_of(one):
            by_digest.setdefault(pair, []).append(one)
    algorithms = sorted({algorithm for algorithm, _ in by_digest})
    found: dict[Wanted, list[Held]] = {}
    left = MOST
    most = {one: len(digests_of(one)) if one.filename is None else 1 for one in wanted}
    for body in bodies:
        open_yet = [one for one in wanted if len(found.get(one, ())) < most[one]]
        if not open_yet:
            break
        missing = [one for one in open_yet if one.size in (None, body.length)]
        if not missing or body.length > left:
            continue
        try:
            if not _may_be(files, body, missing):
                continue
            left -= body.length
            digests = hash_range(files, body, algorithms)
        except Unreadable:
            continue
        for pair in zip(algorithms, digests, strict=True):
            for one in by_digest.get(pair, ()):
                found.setdefault(one, []).append(Held(*body, origin=origin))
    return found


def _may_be(files: Files, body: Body, wanted: Sequence[Wanted]) -> bool:
    """Whether a range begins as an archive does, and ends as one of those wanted would."""
    if body.length < len(MAGIC) or files.read_part(body.path, len(MAGIC), body.offset)[0] != MAGIC:
        return False
    size = min(TAIL, body.length)
    tail, _ = files.read_part(body.path, size, body.offset + body.length - size)
    said = {(_text(name), comparable_version(version.decode())) for name, version in set(_DIST_INFO.findall(tail))}
    return not said or any(is_of(pair, one) for pair in said for one in wanted)


def _text(name: bytes) -> str:
    return normalize_name(name.decode())


def hash_range(files: Files, body: Body, algorithms: Sequence[str]) -> list[str]:
    """The hashes (hex) of a range of a file. Raises `Unreadable`, also where the file is shorter or over the bound."""
    if body.length > files.limits.digest:
        raise Unreadable(body.path, f"larger than the bound of {files.limits.digest:,} bytes")
    hashes = [hashlib.new(algorithm) for algorithm in algorithms]
    for chunk in _chunks(files, body):
        for one in hashes:
            one.update(chunk)
    return [one.hexdigest() for one in hashes]


def has_hash(files: Files, held: Held, wanted: Wanted) -> bool:
    """Whether a candidate is the wanted archive."""
    body = whole(files, held.path) if held.length is None else Body(held.path, held.offset, held.length)
    algorithm = algorithm_of(wanted)
    if body is None or algorithm is None:
        return False
    try:
        (digest,) = hash_range(files, body, [algorithm])
    except Unreadable:
        return False
    return (algorithm, digest) in digests_of(wanted)


def _chunks(files: Files, body: Body) -> Iterator[bytes]:
    fd, _ = files.open(body.path)
    try:
        os.lseek(fd, body.offset, os.SEEK_SET)
        left = body.length
        while left:
            chunk = os.read(fd, min(left, CHUNK))
            if not chunk:
                raise Unreadable(body.path, "became shorter while it was read")
            left -= len(chunk)
            files.bytes_read += len(chunk)
            yield chunk
    except OSError as error:
        raise Unreadable(body.path, (error.strerror or "cannot be read").lower()) from None
    finally:
        os.close(fd)


def whole(files: Files, path: str) -> Body | None:
    """A whole regular file (links followed); ``None`` for anything else."""
    found = files.stat(path)
    return Body(path, 0, found.st_size) if found is not None and files.is_file(path) else None
