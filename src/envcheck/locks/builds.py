"""A Lock into what installing it runs besides copying files: packages without a wheel for the target, and directories.

A package is named only where the lock names its archives; Pipfile.lock and requirements files hold bare hashes.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from envcheck.files.root import Files, Unreadable
from envcheck.locks.project import read_project
from envcheck.locks.requirement_lines import decode, logical_lines
from envcheck.locks.tables import Table, Wrong, get_bool, get_str, get_strings, get_table
from envcheck.locks.targets import Tags, fits, wheel_tags
from envcheck.model.inventory import Distribution, normalize_name
from envcheck.model.lock import Lock, LockedPackage, LockProblem
from envcheck.model.nouns import NamedTuple

_LOCAL = ("directory", "editable")


class Build(NamedTuple):
    """A package whose installation runs code."""

    package: LockedPackage
    why: str

    @property
    def local(self) -> bool:
        """Whether it is the project's own code, or other code that lies beside it."""
        return self.package.source_kind in _LOCAL


class Configured(NamedTuple):
    """Whether installers are told to build nothing."""

    everywhere: bool
    names: frozenset[str] = frozenset()
    where: str | None = None


def builds(files: Files, lock: Lock, packages: Iterable[LockedPackage], targets: Sequence[Tags]) -> tuple[Build, ...]:
    """In the order of ``packages``, which are those selected for the target."""
    found = []
    for package in packages:
        why = _why(files, lock, package, targets)
        if why is not None:
            found.append(Build(package, why))
    return tuple(found)


def sdist_problems(lock: Lock, found: Sequence[Build], configured: Configured) -> Iterator[LockProblem]:
    """One problem a package; none for those that an installer is told not to build."""
    for build in found:
        if configured.everywhere or build.package.name in configured.names:
            continue
        message = f"{build.package.name or build.package.source}: {build.why}"
        yield LockProblem("lock-sdist", build.package.where, message, build.package.name)


def _why(files: Files, lock: Lock, package: LockedPackage, targets: Sequence[Tags]) -> str | None:
    if package.source_kind in _LOCAL:
        directory = os.path.normpath(os.path.join(os.path.dirname(lock.path), package.source or "."))
        backend = backend_of(files, directory)
        return f"is built from the directory {package.source} by {backend}"
    if package.source_kind == "git":
        return "is built from a repository by the backend that its pyproject.toml names"
    named = [artifact for artifact in package.artifacts if artifact.kind != "unknown"]
    if package.source_kind not in ("registry", "url", "path") or not named:
        return None
    wheels = [artifact for artifact in named if artifact.kind == "wheel" and artifact.filename is not None]
    if all(any(fits(wheel.filename or "", tags) for wheel in wheels) for tags in targets) and (targets or wheels):
        return None
    if not any(artifact.kind == "sdist" for artifact in named):
        return None
    return f"has no wheel{' for this target' if wheels else ''}: its archive's build code runs"


def backend_of(files: Files, directory: str) -> str:
    """What builds a directory, in words: its backend (in the tree itself with ``backend-path``), else ``setup.py``."""
    try:
        table = get_table(read_project(files, directory), "build-system")
        backend = get_str(table, "build-backend")
        inside = get_strings(table, "backend-path") if "backend-path" in table else ()
    except Wrong:
        return "a backend that its pyproject.toml does not name rightly"
    script = files.is_file(os.path.join(directory, "setup.py"))
    if backend is None:
        return "setuptools, which runs its setup.py" if script else "setuptools"
    if inside:
        return f"its own backend {backend} in {', '.join(inside)}"
    return f"{backend}, which runs its setup.py" if script and backend.startswith("setuptools") else backend


def no_build(files: Files, lock: Lock) -> Configured:
    """``tool.uv.no-build`` and ``--only-binary`` in a requirements file; variables and command lines are not known."""
    if lock.format == "requirements":
        return _only_binary(files, lock.path)
    project: Table = read_project(files, os.path.dirname(lock.path))
    try:
        settings = get_table(get_table(project, "tool"), "uv")
        names = get_strings(settings, "no-build-package") if "no-build-package" in settings else ()
        if get_bool(settings, "no-build"):
            return Configured(True, where="tool.uv.no-build")
        return Configured(False, frozenset(map(normalize_name, names)), "tool.uv.no-build-package" if names else None)
    except Wrong:
        return Configured(False)


def _only_binary(files: Files, path: str) -> Configured:
    names: set[str] = set()
    try:
        lines = list(logical_lines(decode(files.read(path, files.limits.lock))))
    except (Unreadable, Wrong):
        return Configured(False)
    for _, line in lines:
        words = line.replace("=", " ").split()
        if len(words) == 2 and words[0] == "--only-binary":
            names |= {word.strip() for word in words[1].split(",")}
    if ":all:" in names:
        return Configured(True, where="--only-binary :all:")
    return Configured(False, frozenset(map(normalize_name, names)), "--only-binary" if names else None)


def built_here(files: Files, distribution: Distribution, packages: Sequence[LockedPackage]) -> str | None:
    """How one sees that a distribution was built on this machine, as a clause; ``None`` where one does not."""
    if distribution.editable:
        return None
    if distribution.locally_built:
        return "was built on this machine, not taken from a wheel"
    wheels = [a for package in packages for a in package.artifacts if a.kind == "wheel"]
    if not wheels or any(package.version != distribution.version for package in packages):
        return None
    own = _installed_tags(files, distribution.path)
    known = {str(tag) for wheel in wheels for tag in wheel_tags(wheel.filename or "") or ()}
    if not own or not known or own & known:
        return None
    return f"is of a wheel ({', '.join(sorted(own)[:3])}) that the lock does not have"


def _installed_tags(files: Files, directory: str) -> set[str]:
    try:
        data = files.read(os.path.join(directory, "WHEEL"))
    except Unreadable:
        return set()
    lines = (line.partition(b":") for line in data.splitlines()[:200])
    return {value.strip().decode("ascii", "replace") for key, _, value in lines if key.strip().lower() == b"tag"}
