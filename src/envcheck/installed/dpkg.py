"""dpkg's database into the package that owns a file and the md5 that it claims.

Paths it looks at: ``var/lib/dpkg/info/*.list``, ``*.md5sums`` and ``var/lib/dpkg/status`` (conffiles, versions).
"""

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.model.nouns import NamedTuple
from envcheck.model.ownership import Claim, Owner

_INFO = "/var/lib/dpkg/info"
_STATUS = "/var/lib/dpkg/status"
_OWN = ("/usr/lib/", "/usr/bin/", "/usr/share/", "/lib/", "/etc/python", "/bin/")
"""Where dpkg itself puts files of Python; a row that claims another place is not believed."""
_LIMIT = 64 << 20
_CHUNK = 1 << 20


class Recorded(NamedTuple):
    """What dpkg says of one file; ``md5`` is lower-case hex, ``None`` for links and unlisted sums."""

    owner: Owner
    md5: str | None


class Dpkg:
    """The database of the machine that a target belongs to; read as far as a question needs."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lists: dict[str, bytes] = {}

    def covers(self, path: str) -> bool:
        """Whether a path is one that dpkg would own at all."""
        return path.startswith(_OWN) and bool(self._packages)

    def find(self, path: str) -> Recorded | None:
        """The package that lists a path."""
        if not self.covers(path):
            return None
        needle = b"\n" + path.encode("utf-8", "surrogateescape") + b"\n"
        for package in self._ranked(path):
            if needle in self._list(package):
                return Recorded(self._owner(package), self._md5(package, path))
        return None

    def find_all(self, paths: Iterable[str]) -> dict[str, Recorded]:
        """The packages that list some paths, each list read once. A path may be listed without its ``/usr``."""
        wanted = {alias: path for path in paths for alias in _aliases(path) if self.covers(alias)}
        found: dict[str, Recorded] = {}
        for package in self._packages if wanted else ():
            data = self._list(package)
            for alias, path in wanted.items():
                if path not in found and b"\n" + alias.encode("utf-8", "surrogateescape") + b"\n" in data:
                    found[path] = Recorded(self._owner(package), self._md5(package, alias))
        return found

    def claim(self, path: str) -> Claim | None:
        """The claim on a file, its bytes compared; ``None`` where no package lists it."""
        found = self.find(path)
        if found is None:
            return None
        if found.md5 is None and self._files.is_link(path):
            try:
                real = self._files.realpath(path)
            except Unreadable as error:
                return Claim(found.owner, "unrecorded", None, error.why)
            behind = self.find(real) if real != path else None
            if behind is not None:
                found = behind
        try:
            md5, sha256 = self._digests(path)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return Claim(found.owner, "unrecorded", None, error.why)
        if found.md5 is None:
            return Claim(found.owner, "unrecorded", sha256, "dpkg has no md5 for it")
        if found.md5 == md5:
            return Claim(found.owner, "recorded", sha256)
        return Claim(found.owner, "modified", sha256, "the md5 that dpkg recorded differs")

    def below(self, directory: str) -> dict[str, Recorded]:
        """Every file with an md5 that a package lists below a directory, by absolute path."""
        prefix = directory.strip("/").encode("utf-8", "surrogateescape") + b"/"
        found: dict[str, Recorded] = {}
        for package in self._packages:
            data = self._read(f"{_INFO}/{package}.md5sums")
            if prefix not in data:
                continue
            owner = self._owner(package)
            for line in data.split(b"\n"):
                md5, _, name = line.partition(b"  ")
                if name.startswith(prefix):
                    path = "/" + name.decode("utf-8", "surrogateescape")
                    found[path] = Recorded(owner, md5.decode("ascii", "replace").lower())
        return found

    def links_below(self, directory: str) -> dict[str, Owner]:
        """Every path that a package lists below a directory, with or without an md5."""
        prefix = b"\n" + directory.rstrip("/").encode("utf-8", "surrogateescape") + b"/"
        found: dict[str, Owner] = {}
        for package in self._packages:
            data = self._list(package)
            at = data.find(prefix)
            if at < 0:
                continue
            owner = self._owner(package)
            while at >= 0:
                end = data.find(b"\n", at + 1)
                found[data[at + 1 : end].decode("utf-8", "surrogateescape")] = owner
                at = data.find(prefix, end)
        return found

    def md5(self, path: str) -> tuple[str, str]:
        """md5 and sha256 (hex) of a file, links followed. Raises `Unreadable`."""
        return self._digests(path)

    @cached_property
    def _packages(self) -> tuple[str, ...]:
        return tuple(name[:-5] for name in self._files.names(_INFO) if name.endswith(".list"))

    def _ranked(self, path: str) -> list[str]:
        """Packages, those that probably own the path first."""
        word = path.split("/dist-packages/")[-1].split("/")[0].partition(".")[0].lower().replace("_", "-")
        likely = [name for name in self._packages if "python" in name]
        likely.sort(key=lambda name: word not in name)
        return likely + [name for name in self._packages if "python" not in name]

    def _list(self, package: str) -> bytes:
        if package not in self._lists:
            data = b"\n" + self._read(f"{_INFO}/{package}.list")
            if "python" not in package:
                return data
            self._lists[package] = data
        return self._lists[package]

    def _owner(self, package: str) -> Owner:
        name = package.partition(":")[0]
        stanza = self._stanza(name)
        at = stanza.find(b"\nVersion: ")
        version = stanza[at + 10 :].partition(b"\n")[0].decode("utf-8", "backslashreplace") if at >= 0 else None
        return Owner("dpkg", name, version)

    def _md5(self, package: str, path: str) -> str | None:
        data = b"\n" + self._read(f"{_INFO}/{package}.md5sums")
        name = path.lstrip("/").encode("utf-8", "surrogateescape")
        at = data.find(b"  " + name + b"\n")
        if at >= 32:
            return data[at - 32 : at].decode("ascii", "replace").lower()
        # Conffiles are not among the sums; their md5 stands in the status file.
        conffiles = self._stanza(package.partition(":")[0]).partition(b"\nConffiles:\n")[2]
        for line in conffiles.split(b"\n"):
            if not line.startswith(b" "):
                break
            words = line.split()
            if len(words) >= 2 and words[0] == b"/" + name:
                return words[1].decode("ascii", "replace").lower()
        return None

    def _stanza(self, name: str) -> bytes:
        start = self._status.find(b"\nPackage: " + name.encode("utf-8", "surrogateescape") + b"\n")
        if start < 0:
            return b""
        end = self._status.find(b"\n\n", start)
        return self._status[start:] if end < 0 else self._status[start:end]

    @cached_property
    def _status(self) -> bytes:
        return b"\n" + self._read(_STATUS)

    def _read(self, path: str) -> bytes:
        try:
            return self._files.read(path, _LIMIT)
        except Missing:
            return b""
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return b""

    def _digests(self, path: str) -> tuple[str, str]:
        fd, _ = self._files.open(path)
        md5 = hashlib.md5(usedforsecurity=False)
        sha256 = hashlib.sha256()
        try:
            while chunk := os.read(fd, _CHUNK):
                md5.update(chunk)
                sha256.update(chunk)
                self._files.bytes_read += len(chunk)
        except OSError as error:
            raise Unreadable(path, os.strerror(error.errno or 0).lower()) from None
        finally:
            os.close(fd)
        return md5.hexdigest(), sha256.hexdigest()


def _aliases(path: str) -> tuple[str, ...]:
    """A path as packages list it that were built before ``/lib`` became a link to ``/usr/lib``."""
    return (path, path[4:]) if path.startswith("/usr/lib") else (path,)
