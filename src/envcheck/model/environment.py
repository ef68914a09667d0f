"""An environment: one interpreter's view of prefix, version and directories."""

from envcheck.model.nouns import Literal, NamedTuple

EnvironmentKind = Literal["venv", "base", "system", "conda", "user", "embedded", "target-directory"]
VersionSource = Literal["binary", "patchlevel", "library", "pyvenv", "directory"]
SiteOrigin = Literal["venv", "base", "user", "debian", "target"]


class Python(NamedTuple):
    """The interpreter of an environment, as far as files tell."""

    version: str
    """``X.Y.Z`` or, where no file tells the patch level, ``X.Y``; a pre-release keeps its suffix (``3.15.0rc1``)."""
    version_source: VersionSource
    implementation: str
    abi: str
    platform: str
    executable: str | None
    """The path that a user would start (unresolved), or ``None`` where none is left."""
    base_prefix: str
    free_threaded: bool = False
    platlibdir: str = "lib"
    version_assumed: bool = False
    """No file tells even ``X.Y`` (a bare directory of pure Python): the newest version that is modelled stands here."""

    version_evidence: tuple[tuple[str, str], ...] = ()
    """File and version of each witness that tells the patch level, most trusted first: they may disagree."""

    @property
    def minor(self) -> tuple[int, int]:
        """``(3, 11)``."""
        major, minor = self.version.split(".")[:2]
        return int(major), int("".join(c for c in minor if c.isdecimal()))

    @property
    def patch(self) -> int | None:
        """The patch level, or ``None`` where it is not known."""
        parts = self.version.split(".")
        if len(parts) < 3:
            return None
        digits = ""
        for character in parts[2]:
            if not character.isdecimal():
                break
            digits += character
        return int(digits) if digits else None


class SiteDir(NamedTuple):
    """A directory whose ``.pth`` (3.15: and ``.start``) files CPython processes."""

    path: str
    origin: SiteOrigin


class PyvenvCfg(NamedTuple):
    """What the two parsers of CPython make of a ``pyvenv.cfg`` (see docs/startup.md)."""

    path: str
    keys: tuple[tuple[str, str], ...]
    """Every ``key = value`` line in file order, key stripped and lower-cased, value stripped."""
    home: str | None
    """``home`` as the path configuration of this version reads it."""
    include_system_site: bool
    """``include-system-site-packages`` as ``site`` reads it (a missing key enables)."""
    fatal: str | None = None
    """Why the interpreter cannot start with this file (``site`` dies of it), or ``None``."""


class SiteModule(NamedTuple):
    """The standard library's ``site.py``, compared with what its release ships."""

    path: str
    state: Literal["known", "modified", "unknown"]
    """``unknown``: nothing here knows what this release ships, or another package database decides."""
    sha256: str | None
    why: str | None = None
    """What it was compared with, or why it was not."""


class Environment(NamedTuple):
    """One interpreter's view: what a scan looks at."""

    path: str
    """The prefix; for a bare site directory, that directory."""
    kind: EnvironmentKind
    python: Python
    site_sequence: tuple[SiteDir, ...]
    """Site directories in the order in which CPython processes them, repetitions included (a venv's own come
    twice up to 3.14, gh-75723). Only directories that exist."""
    initial_path: tuple[str, ...]
    """``sys.path`` before ``site``: PYTHONPATH items, zip, standard library, lib-dynload. The current directory
    stands in it as ``""``, symbolically."""
    stdlib: str | None
    scripts_dir: str | None
    user_site_enabled: bool | None
    """``site.ENABLE_USER_SITE``: decides whether ``usercustomize`` is attempted."""
    user_site: str | None
    """Where the user site would be, whether or not it exists or is enabled."""
    cfg: PyvenvCfg | None = None
    externally_shared: tuple[str, ...] = ()
    """Prefixes that this environment reads but does not own (the base of a venv): listed, not verified."""
    redirectors: tuple[tuple[str, str], ...] = ()
    """Files near the interpreter that change where it finds its library: path, and what the file does."""
    site_imported: bool | None = None
    """Whether ``site`` is imported where a ``._pth`` decides that; ``None``: as ``-S`` says."""
    build_tree: bool = False
    """Whether CPython takes itself for a build tree: from 3.11 on the standard library is then not frozen."""
    fatal: str | None = None
    """Why the path configuration ends the start before anything runs, or ``None``."""
    site_module: SiteModule | None = None
    sides: "tuple[tuple[int, Environment], ...]" = ()
    """Where the patch level is not known and decides: what each range of releases makes of the same files, with the
    first patch level of the range. The environment itself then has the newest's, and what any of them adds."""

    @property
    def site_dirs(self) -> tuple[SiteDir, ...]:
        """Each site directory once, in first-processed order."""
        return tuple(dict.fromkeys(self.site_sequence))

    @property
    def own_site_dirs(self) -> tuple[SiteDir, ...]:
        """The site directories that lie in this environment itself, not in the base it shares."""
        return tuple(d for d in self.site_dirs if d.origin != "base" or self.kind in ("base", "system", "conda"))
