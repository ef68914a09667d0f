"""A Lock into what installing it runs besides copying files: packages without a wheel for the target, and directories.

A package is named only where the lock names its archives; Pipfile.lock and requirements files hold bare hashes.
"""

import os
from collections.abc import Iterable, Iterator, Sequence

from envcheck.files.root import Files, Unreadable
from envcheck.locks.project import read_project
from envcheck.locks.tables import Wrong, get_bool, get_str, get_strings, get_table
from envcheck.locks.targets import Tags, fits, wheel_tags
from envcheck.model.inventory import Distribution, normalize_name
from envcheck.model.lock import Lock, LockedPackage
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


def builds(files: Files, lock: Lock, packages: Iterable[LockedPackage], targets: Sequence[Tags]) -> tuple[Build, ...]:
    """The project itself, then in the order of ``packages``, which are those selected for the target."""
    found = list(_own(files, lock))
    for package in packages:
        why = _why(files, lock, package, targets)
        if why is not None:
            found.append(Build(package, why))
    return tuple(found)


def _own(files: Files, lock: Lock) -> Iterator[Build]:
    """The project that the tool installs and its lock does not list: Poetry's and PDM's."""
    if lock.format not in ("poetry", "pdm"):
        return
    directory = os.path.dirname(lock.path)
    project = read_project(files, directory)
    try:
        tool = get_table(get_table(project, "tool"), lock.format)
        name = get_str(get_table(project, "project"), "name") or get_str(tool, "name")
        if lock.format == "poetry":
            installed = get_bool(tool, "package-mode") if "package-mode" in tool else True
        elif "package-type" in tool:
            installed = get_str(tool, "package-type") == "library"
        else:
            installed = get_bool(tool, "distribution") if "distribution" in tool else True
    except Wrong:
        return
    if name is not None and installed:
        package = LockedPackage(normalize_name(name), None, "editable", ".", "pyproject.toml")
        yield Build(package, f"is built from the directory . by {backend_of(files, directory)}")


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
