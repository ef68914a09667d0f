"""Who claims a file, and how strongly its bytes are proven."""

from envcheck.model.nouns import Literal, NamedTuple

OwnerKind = Literal["distribution", "dpkg", "conda", "tool"]
Assurance = Literal["anchored", "recorded", "known", "unrecorded", "modified"]

STRENGTH: dict[str, int] = {"modified": 0, "unrecorded": 1, "known": 2, "recorded": 3, "anchored": 4}
"""The ladder of DESIGN.md, weakest first; a distribution's assurance is the weakest of its files."""


class Owner(NamedTuple):
    """A distribution, a dpkg or conda package, or a known tool that claims a file."""

    kind: OwnerKind
    name: str
    version: str | None = None


class Claim(NamedTuple):
    """The answer to "who put this file there, and is it unaltered?" for one file."""

    owner: Owner | None
    assurance: Assurance
    sha256: str | None
    """Hex digest of the bytes on disk, or ``None`` where they could not be read."""
    reason: str | None = None
    """Why the assurance is what it is, in words, where that is not obvious (``hash in RECORD differs``)."""
