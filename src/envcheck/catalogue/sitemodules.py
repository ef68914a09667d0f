"""The standard library's ``site.py`` of a release: digest to who ships it so.

It is a part of the catalogue of releases (``data/stdlib.bin``, see `releases`) that every scan asks for, so that it
stands before the rest and is understood without it.
"""

from functools import cache

from envcheck.files.shipped import shipped

DATA = "data/stdlib.bin"
MAGIC = b"envcheck stdlib 2\n"
UPSTREAM = "python.org"
"""The builder of what the release itself contains."""
IN_PART = "~"
"""After the name of a release that is known in part."""


def digests_of(release: str) -> dict[str, str]:
    """The sha256 (hex) of each known ``site.py`` of one release, to its builder; empty where nobody here knows one."""
    names, rows = _load()
    if release not in names:
        return {}
    number = names.index(release)
    return {digest: builder for digest, builder, spans in rows if number in numbers_of(spans)}


def names_in(head: bytes) -> tuple[tuple[str, ...], frozenset[str]]:
    """All releases of a catalogue, oldest first, and those of them that are known in part."""
    marked = head.partition(b"\n")[0].decode("ascii").split(" ")
    names = tuple(name.removesuffix(IN_PART) for name in marked)
    return names, frozenset(names).difference(marked)


@cache
def numbers_of(spans: str) -> frozenset[int]:
    """The numbers of ``0-4,7``."""
    found: set[int] = set()
    for span in spans.split(","):
        first, dash, last = span.partition("-")
        found.update(range(int(first), int(last if dash else first) + 1))
    return frozenset(found)


@cache
def _load() -> tuple[tuple[str, ...], list[list[str]]]:
    """The names of all releases, and a row of digest, builder and spans for each file."""
    data = shipped("envcheck.catalogue", DATA)
    start = len(MAGIC) + 4
    head = data[start : start + int.from_bytes(data[len(MAGIC) : start], "big")]
    return names_in(head)[0], [line.split("\t") for line in head.decode("ascii").split("\n")[1:]]
