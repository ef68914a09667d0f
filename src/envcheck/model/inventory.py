"""What is installed: distributions, counts, and every deviation of the files from what claims them."""

from envcheck.model.nouns import Literal, NamedTuple
from envcheck.model.ownership import Assurance, Owner

TYPE_CHECKING = False  # nothing of it is needed where there is no lock
if TYPE_CHECKING:
    from envcheck.model.anchor import Anchoring

SEEDS = frozenset({"pip", "setuptools", "wheel"})
"""Put into an environment by its maker, so that no lock need name them."""

LockState = Literal["match", "version", "missing", "extra", "source", "ignored", "unlocked"]

Problem = Literal[
    "modified",  # the bytes differ from the hash that claims them
    "forged",  # RECORD agrees with the bytes, and the locked wheel has others
    "forged-row",  # RECORD lists a file that the locked wheel does not have
    "swapped",  # the whole distribution is another build than the locked wheels
    "unlike-anchor",  # files and RECORD do not give the digest of the anchors file; which of them, nothing tells
    "missing",  # claimed, absent (bytecode is never missing)
    "unowned-code",  # nothing claims it, and it can be imported or run
    "unowned-configuration",  # nothing claims it, and a tool does what it says
    "unowned-data",  # nothing claims it, inert
    "unreadable",
    "record-missing",  # a distribution without RECORD
    "record-invalid",  # a RECORD, or rows of it, that cannot be understood
    "record-unhashed",  # a row without a usable hash for a file that is not derived
    "record-escapes",  # a row that points outside the prefix
    "record-conflict",  # two rows of one distribution, or two distributions, disagree about one file
    "closed-set",  # listed only by a self-made RECORD (editable, locally built) that may not vouch for it
    "link-outside",  # a link that leaves the environment
    "bytecode-orphan",  # __pycache__ bytecode without its source
    "bytecode-sourceless",  # NAME.pyc that is imported in place of a source
    "bytecode-mismatch",  # a .pyc that is not what its source compiles to
    "bytecode-unchecked",  # an unchecked-hash .pyc that runs whatever the source says
    "script-unowned",
    "script-shadows",  # a script-unowned that bears the name of a command
    "script-modified",
    "metadata-inconsistent",
    "entry-point-undeclared",  # an editable's, which its project does not declare
    "distribution-duplicate",
    "interpreter-replaced",  # bin/python is not the interpreter that pyvenv.cfg names
    "interpreter-unproven",  # there is nothing to compare a copy with
    "activate-modified",
    "activate-unproven",  # nothing in it is unknown, but no known release writes it so
    "home-moved",  # pyvenv.cfg contradicts itself about the base interpreter
    "venv-moved",  # the environment stood elsewhere when it was made
    "writable",  # others may change it
    "phantom-module",  # a module that tools import if it happens to exist
    "installer-config",
    "library-nearer",  # a shared library that the interpreter finds before the one it was built with
    "installer-config-inert",  # its settings decide nothing about what is installed or run
    "installer-receipt",  # what an upgrade by uv or pipx will do
]


class Deviation(NamedTuple):
    """One fact about one file (or distribution) that does not fit."""

    problem: Problem
    path: str
    owner: Owner | None = None
    expected: str | None = None
    """Hash or wording of what was claimed."""
    actual: str | None = None
    """sha256 (hex) of the bytes on disk, or wording of what is there."""
    detail: str | None = None
    """One clause in plain words that a message can end with."""
    line: int | None = None
    kind: str | None = None
    """What consumes a file that nobody owns, where that is known (``extension``): such are told together."""


class Direct(NamedTuple):
    """PEP 610 ``direct_url.json``: where a distribution that came from no index came from."""

    url: str
    editable: bool = False
    vcs: str | None = None
    commit: str | None = None
    archive_sha256: str | None = None
    subdirectory: str | None = None


class Distribution(NamedTuple):
    """One installed package: its metadata directory (or file) and what its files proved to be."""

    name: str
    """As METADATA spells it, else as the directory name does."""
    version: str
    path: str
    """The ``.dist-info`` directory, ``.egg-info`` directory or file."""
    site_dir: str
    installer: str | None = None
    direct: Direct | None = None
    editable: bool = False
    locally_built: bool = False
    requested: bool = False
    has_metadata: bool = True
    has_record: bool = True
    files: int = 0
    modified: int = 0
    missing: int = 0
    assurance: Assurance = "unrecorded"
    requires_dist: tuple[str, ...] = ()
    entry_points: tuple[tuple[str, str, str], ...] = ()
    """``(group, name, module:callable)``, as ``entry_points.txt`` has them; only in an inventory."""
    tags: tuple[str, ...] = ()
    """Of ``WHEEL`` (PEP 425): which wheel it says that it comes from."""
    project: str | None = None
    """The local directory that an ``.egg-link`` or ``direct_url.json`` says it comes from."""

    @property
    def key(self) -> str:
        """The normalised name (PEP 503)."""
        return normalize_name(self.name)


class FileCounts(NamedTuple):
    """Totals over one environment; ``bytes`` counts what was read and hashed."""

    verified: int = 0
    bytes: int = 0
    modified: int = 0
    missing: int = 0
    unowned: int = 0
    unreadable: int = 0


class StandardLibraryProof(NamedTuple):
    """What the standard library, and the programs beside it, were compared with."""

    compared_with: str | None = None
    """``dpkg's sums``, ``CPython 3.11.7 as released`` …; ``None`` for nothing."""
    verified: int = 0
    unproven: int = 0
    """Files that belong there by their names, and whose bytes nothing proves (those that a build makes)."""
    why_not: str | None = None
    """Why it was compared with nothing, in words."""


class Inventory(NamedTuple):
    """Everything that is installed in one environment's own site and scripts directories."""

    distributions: tuple[Distribution, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    counts: FileCounts = FileCounts()
    standard_library: StandardLibraryProof | None = None
    """``None`` where no Python belongs to the environment."""
    anchoring: "Anchoring | None" = None
    """What a lock's archive hashes proved; ``None`` where there is no lock."""


def normalize_name(name: str) -> str:
    """PEP 503: runs of ``-``, ``_`` and ``.`` become one ``-``, lower case."""
    parts = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(part for index, part in enumerate(parts) if part or index in (0, len(parts) - 1))
