"""A lock: what the project asked for, in one model whatever file it came from."""

from envcheck.model.inventory import LockState
from envcheck.model.nouns import Literal, NamedTuple

LockFormat = Literal["uv", "requirements", "pylock", "poetry", "pdm", "pipenv"]
SourceKind = Literal["registry", "git", "url", "path", "directory", "editable", "virtual"]


class Artifact(NamedTuple):
    """One archive that the lock allows for a package."""

    filename: str | None
    url: str | None
    hashes: tuple[tuple[str, str], ...]
    """``(algorithm, lower-case hex)`` pairs."""
    size: int | None = None
    upload_time: str | None = None
    kind: Literal["wheel", "sdist", "unknown"] = "unknown"


class Dependency(NamedTuple):
    """An edge of the lock's graph."""

    name: str
    version: str | None = None
    marker: str | None = None
    extras: tuple[str, ...] = ()
    source: str | None = None
    """The source of the target package, where the name alone is ambiguous: as in ``LockedPackage.source``."""
    commit: str | None = None
    """The commit of a git source, where the name alone is ambiguous."""
    specifier: str | None = None
    """The versions asked for (PEP 440, alternatives joined by ``||``), where that tells which of several is meant."""


class LockedPackage(NamedTuple):
    """One entry of a lock. ``where`` names its place in the file for messages (``packages[3]``, ``line 12``)."""

    name: str
    """Normalised (PEP 503)."""
    version: str | None
    source_kind: SourceKind
    source: str | None
    """URL (git: without the commit), or path as the lock spells it."""
    where: str
    commit: str | None = None
    marker: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    optional_dependencies: tuple[tuple[str, tuple[Dependency, ...]], ...] = ()
    """Extra name to edges."""
    group_dependencies: tuple[tuple[str, tuple[Dependency, ...]], ...] = ()
    """Dependency group to edges."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    subdirectory: str | None = None
    specifier: str | None = None
    """What the version must satisfy, where the lock names no single version (requirements: ``>=2,<3``)."""
    requires_python: str | None = None
    """The Python versions that it can be installed on (PEP 440), where an installer must refuse others."""
    constraint: bool = False
    """Only bounds the version (``-c``): nothing says that the package must be here."""


class LockProblem(NamedTuple):
    """An entry that the reader could not take, or could not trust; ``rule`` is the finding's rule id."""

    rule: str
    where: str
    message: str
    name: str | None = None
    remedy: str | None = None
    """What to do, where that is more exact than the rule's own."""


class Repository(NamedTuple):
    """A lock's state against the HEAD of the Git repository that it lies in."""

    state: Literal["committed", "modified", "untracked", "none", "unknown"] = "unknown"
    """``none``: it lies in no repository."""
    commit: str | None = None
    """The commit that HEAD names."""
    why: str | None = None
    """Why the state is unknown, as one clause."""


class Lock(NamedTuple):
    """A lockfile, read strictly."""

    path: str
    format: LockFormat
    sha256: str
    packages: tuple[LockedPackage, ...]
    roots: tuple[str, ...] = ()
    """Names of the packages that are the project itself (workspace members included)."""
    problems: tuple[LockProblem, ...] = ()
    requires_python: str | None = None
    default_groups: tuple[str, ...] = ("dev",)
    requires_hashes: bool = False
    complete: bool = True
    """False where the file lists only what a user asked for (requirements without hashes): then an installed
    distribution that it does not name may be a dependency, and is not drift."""
    root_dependencies: tuple[Dependency, ...] = ()
    """Edges from the project where no package stands for it (script locks, workspaces without a root)."""
    root_group_dependencies: tuple[tuple[str, tuple[Dependency, ...]], ...] = ()
    """Dependency groups of a root that is no package itself."""
    root_extra_dependencies: tuple[tuple[str, tuple[Dependency, ...]], ...] = ()
    """Extras of a root that is no package itself."""
    extras: tuple[str, ...] = ()
    """Extras that can be chosen, where the file lists packages and no edges."""
    groups: tuple[str, ...] = ()
    """Dependency groups that can be chosen, likewise."""
    graph: bool = False
    """Whether what belongs here is found by a walk along edges; else each package's marker tells."""
    selectable: bool = True
    """False where the file does not say what the project asks for, and the project does not either."""
    environments: tuple[str, ...] = ()
    """Markers of which one must hold for the lock to be one for an environment; none: it is for all."""
    limited: bool = False
    """Whether the resolution left out what had been uploaded too lately (uv's ``exclude-newer``)."""
    repository: Repository = Repository()
    content_hash: str | None = None
    """What the project's own file hashed to when it was locked, as the format computes it."""


class LockChoice(NamedTuple):
    """Which lock a scan compared with, and how it was chosen."""

    path: str
    format: LockFormat
    sha256: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    inferred: bool = True
    anchors: Literal["file", "wheels", "cache", "none"] = "none"
    members: tuple[str, ...] = ()
    """The packages of the project that the comparison started from, where the lock has several (a workspace)."""
    repository: Repository = Repository()
    default_groups: tuple[str, ...] = ()
    """The groups that the lock's own installer takes when none is named."""
    hashed: bool = False
    """Whether every archive has a hash that an installer must hold it against (requirements files)."""


class Drift(NamedTuple):
    """One distribution's relation to the lock."""

    name: str
    """Normalised."""
    state: LockState
    installed: str | None
    """Installed version, or ``None`` where it is missing."""
    locked: str | None
    """Locked version(s), as text."""
    path: str | None
    """The metadata directory, where installed."""
    detail: str | None = None
    """One clause: which source differs, why it is ignored."""
    near: str | None = None
    """For an extra: a name in the lock that is one letter away."""


class Comparison(NamedTuple):
    """A lock compared with what is installed."""

    lock: LockChoice
    drifts: tuple[Drift, ...]
    """One for every installed distribution and every missing package, sorted by name."""
    problems: tuple[LockProblem, ...] = ()
