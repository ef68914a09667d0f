"""An installed distribution's source (PEP 610) against a lock entry's: the same, or one clause that says how not."""

from __future__ import annotations

import os

from envcheck.files.root import Files, Unreadable
from envcheck.locks.archives import comparable_url, file_url_path, without_credentials
from envcheck.locks.objects import Unknown
from envcheck.locks.repository import head
from envcheck.model.inventory import Direct, Distribution
from envcheck.model.lock import Lock, LockedPackage


class Sources:
    """Compares sources for one lock, whose relative paths start at its directory."""

    def __init__(self, files: Files, lock: Lock) -> None:
        self.files = files
        self.directory = os.path.dirname(lock.path)
        self._real: dict[str, str] = {}

    def difference(self, distribution: Distribution, entry: LockedPackage) -> str | None:
        """``None`` where the installed distribution comes from where the lock says."""
        direct = distribution.direct
        if entry.source_kind == "registry":
            return _not_from_index(direct, entry)
        if entry.source_kind == "git":
            return _other_commit(self.cloned(direct, entry), entry)
        if entry.source_kind in ("url", "path"):
            return self._other_archive(direct, entry)
        if direct is None:
            return (
                None
                if distribution.editable
                else f"installed from an index, the lock says the directory {entry.source}"
            )
        return (
            None
            if self.is_at(direct, entry.source or ".")
            else f"installed from {shown(direct)}, the lock says {entry.source}"
        )

    def cloned(self, direct: Direct | None, entry: LockedPackage) -> Direct | None:
        """An editable of a clone (pip's ``src`` directory), as an install from the commit that stands in it."""
        path = file_url_path(direct.url) if direct is not None and direct.editable and direct.vcs is None else None
        if direct is None or path is None or not self.files.exists(os.path.join(path, ".git")):
            return direct
        try:
            commit = head(self.files, path)
        except Unknown:
            return direct
        return direct._replace(vcs="git", commit=commit, subdirectory=entry.subdirectory)

    def is_at(self, direct: Direct, source: str) -> bool:
        """Whether a ``file:`` URL names the path that the lock gives, links resolved."""
        path = file_url_path(direct.url)
        if path is None or direct.vcs is not None:
            return False
        if self.files.root is not None:
            # Where this lock's directory stands on the machine behind the root is not known.
            return True
        return self._resolved(path) == self._resolved(os.path.join(self.directory, source))

    def is_own_project(self, distribution: Distribution) -> bool:
        """Whether it is an editable install of the project that the lock stands in, perhaps in a directory of it."""
        direct = distribution.direct
        path = file_url_path(direct.url) if direct is not None and direct.editable else None
        if path is None or self.files.root is not None:
            return False
        project = self._resolved(path)
        return project != "/" and (self._resolved(self.directory) + "/").startswith(project + "/")

    def same_location(self, distribution: Distribution, entry: LockedPackage) -> bool:
        """Whether a distribution is the one of an entry that names a URL or path and no package."""
        return distribution.direct is not None and self.difference(distribution, entry) is None

    def _other_archive(self, direct: Direct | None, entry: LockedPackage) -> str | None:
        if direct is None:
            return f"installed from an index, the lock says {entry.source}"
        hashes = {digest for artifact in entry.artifacts for name, digest in artifact.hashes if name == "sha256"}
        if direct.archive_sha256 is not None and hashes:
            if direct.archive_sha256.lower() in hashes:
                return None
            was, should = direct.archive_sha256[:12], min(hashes)[:12]
            return f"the archive that was installed has sha256 {was}…, the lock says {should}…"
        if entry.source_kind == "path":
            same = self.is_at(direct, entry.source or ".")
        else:
            same = direct.vcs is None and comparable_url(direct.url) == comparable_url(entry.source or "")
        return None if same else f"installed from {shown(direct)}, the lock says {entry.source}"

    def _resolved(self, path: str) -> str:
        known = self._real.get(path)
        if known is None:
            try:
                known = self.files.realpath(os.path.normpath(path))
            except Unreadable:
                known = os.path.normpath(path)
            self._real[path] = known
        return known


def shown(direct: Direct) -> str:
    """A source in words."""
    url = without_credentials(direct.url)
    if direct.editable:
        return f"{url} (editable)"
    if direct.vcs is not None:
        return f"{direct.vcs}+{url} at {direct.commit[:12] if direct.commit else 'an unknown commit'}"
    return url


def _not_from_index(direct: Direct | None, entry: LockedPackage) -> str | None:
    """A local or downloaded archive is as good as the index's own when the lock has its hash."""
    if direct is None:
        return None
    hashes = {digest for artifact in entry.artifacts for name, digest in artifact.hashes if name == "sha256"}
    if direct.archive_sha256 is not None and direct.archive_sha256.lower() in hashes:
        return None
    return f"installed from {shown(direct)}, the lock says an index"


def _other_commit(direct: Direct | None, entry: LockedPackage) -> str | None:
    """A commit names its content: another URL with the same commit is the same source."""
    if direct is None:
        return f"installed from an index, the lock says {entry.source}"
    if direct.vcs is None:
        return f"installed from {shown(direct)}, the lock says {entry.source}"
    if entry.commit is None:
        same = comparable_url(direct.url) == comparable_url(entry.source or "")
        return None if same else f"installed from {shown(direct)}, the lock says {entry.source}"
    if (direct.commit or "").lower() != entry.commit:
        return f"installed from {shown(direct)}, the lock says commit {entry.commit[:12]}"
    if (direct.subdirectory or "") != (entry.subdirectory or ""):
        was, should = direct.subdirectory or "the root", entry.subdirectory or "the root"
        return f"installed from {was} of the repository, the lock says {should}"
    return None
