"""What binds a lock's archive hash to the files inside that archive: wheels looked for, and what they say."""

from collections.abc import Callable, Mapping

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
    tags: tuple[str, ...] = ()
    """What the installed WHEEL file names: a hint that anybody can write, for which of several to download."""
    every: bool = False
    """Where the lock gives hashes alone: all of the archives that they mean (and that have a tag of those)."""


class Needed(NamedTuple):
    """Which of a lock's wheels can be installed somewhere."""

    packages: frozenset[tuple[str, str | None]]
    """Name and version of what the lock selects there, for any extras and groups."""
    tags: tuple[str, ...]
    """What is accepted there, sorted."""
    fits: Callable[[str], bool]
    """Whether the wheel of that file name is."""


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


class Manifest(NamedTuple):
    """What a wheel installs, by location (`formats.manifest`): digests as a canonical manifest has them."""

    files: Mapping[str, str]
    sizes: Mapping[str, int]
    sha256: Mapping[str, str]
    """Hex, of the member as it lies in the wheel."""
    listed: Mapping[str, str]
    """What the wheel's own RECORD says instead, where that differs: its hash field."""


class Anchor(NamedTuple):
    """A wheel that a lock allows for one distribution, and what it installs."""

    filename: str
    archive_hash: str
    """``sha256:HEX``, as the lock has it."""
    origin: AnchorSource
    digests: tuple[str, ...]
    """Of its canonical manifest; several where installers read the wheel in different ways."""
    manifests: Callable[[], tuple[Manifest, ...]] | None = None
    """Reads all of the wheel; ``None`` where only the digests are at hand, empty where it can be read no more."""

    @property
    def tags(self) -> frozenset[str]:
        """The tags that its name stands for (PEP 425)."""
        parts = self.filename.removesuffix(".whl").split("-")[-3:]
        if len(parts) < 3 or not self.filename.endswith(".whl"):
            return frozenset()
        return frozenset(
            f"{python}-{abi}-{platform}"
            for python in parts[0].split(".")
            for abi in parts[1].split(".")
            for platform in parts[2].split(".")
        )


UnanchoredReason = Literal[
    "not-locked", "editable", "directory", "git", "sdist", "no-hash", "no-wheel", "not-in-file", "doubtful"
]
REASONS: dict[UnanchoredReason, str] = {
    "not-locked": "the lock does not have that version of it",
    "editable": "installed as editable",
    "directory": "the lock names a directory",
    "git": "the lock names a repository",
    "sdist": "the lock has only a source archive, and what is built from it has no locked hash",
    "no-hash": "the lock has no strong hash of a wheel",
    "no-wheel": "no locked wheel of it is at hand",
    "not-in-file": "the anchors file does not have the wheel for this platform",
    "doubtful": "the archive at hand is not the locked one, or has no certain content",
}


class Expectation(NamedTuple):
    """What a distribution may be: any of these wheels; or why nothing is known."""

    anchors: tuple[Anchor, ...] = ()
    why_not: UnanchoredReason | None = None
    more: Callable[[], tuple[Anchor, ...]] | None = None
    """Looks for further wheels where none at hand is met: any where only digests are at hand, else those to fetch."""
    accuses: Callable[[Anchor], bool] | None = None
    """Whether what differs from that wheel differs from what may be installed here. It is not so for the wheel of
    another platform: that it is at hand says nothing about what the lock has for this one."""


class AnchorProblem(NamedTuple):
    """Something about an archive or the anchors file; ``rule`` is the finding's rule id."""

    rule: str
    path: str
    message: str
    """A sentence."""
    name: str | None = None
    """Of the distribution."""
    line: int | None = None
    evidence: tuple[tuple[str, str | int | tuple[str, ...]], ...] = ()
    mild: bool = False
    """Odd, but without consequence."""


class Unanchored(NamedTuple):
    """A distribution that nothing in the lock vouches for, and why."""

    name: str
    version: str
    reason: UnanchoredReason


class Anchoring(NamedTuple):
    """What a lock's archive hashes proved of one environment."""

    source: Literal["file", "wheels", "cache", "none"] = "none"
    """Where most of what was proven comes from."""
    path: str | None = None
    """The anchors file."""
    distributions: int = 0
    """Anchored ones."""
    files: int = 0
    """Files whose bytes are those of a locked wheel."""
    unanchored: tuple[Unanchored, ...] = ()
    excepted: tuple[str, ...] = ()
    """Those among them that the user excepts, by normalised name."""
    required: bool = False
    problems: tuple[AnchorProblem, ...] = ()
