"""What binds a lock's archive hash to the files inside that archive: wheels looked for, and what they say."""

from envcheck.model.nouns import Literal, NamedTuple

AnchorSource = Literal["file", "wheels", "cache", "fetched"]
"""The committed anchors file; a directory of wheels that the user names; an installer's cache; a download."""


class Wanted(NamedTuple):
    """A locked archive that is looked for."""

    name: str
    """Normalised."""
    version: str
    filename: str | None
    """``None`` where the lock gives hashes alone: any wheel of that name, version and hash is meant."""
    url: str | None
    hashes: tuple[tuple[str, str], ...]
    """``(algorithm, lower-case hex)`` pairs; at least one of sha256, sha384 or sha512."""
    size: int | None = None


class Held(NamedTuple):
    """A range of a local file that may be a wanted archive: believed only when its hash is a wanted one.

    Where a cache file has a header before the archive, the range begins after it.
    """

    path: str
    """Absolute."""
    offset: int = 0
    length: int | None = None
    """``None``: to the end of the file."""
    origin: AnchorSource = "wheels"
