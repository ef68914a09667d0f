"""What a standard library is compared with: a reference, dpkg, conda, or the catalogue of releases."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.catalogue.releases import LEFT_OUT, OPTIONAL, TESTS, Release, may_differ, names_of, releases_of, versions
from envcheck.files.digests import Digest, digests
from envcheck.files.root import Files, Unreadable
from envcheck.installed.conda import Conda
from envcheck.installed.dpkg import Dpkg
from envcheck.installed.references import Reference
from envcheck.model.ownership import Assurance, Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Verdict = Literal["match", "modified", "unproven", "unknown"]


class Match:
    """What a basis says of one file."""

    __slots__ = ("actual", "detail", "expected", "owner", "verdict")

    def __init__(
        self,
        verdict: Verdict,
        owner: Owner | None = None,
        actual: str | None = None,
        expected: str | None = None,
        detail: str | None = None,
    ) -> None:
        self.verdict = verdict
        self.owner = owner
        self.actual = actual
        """sha256 (hex) of what is there."""
        self.expected = expected
        self.detail = detail


class Basis:
    """One source of what the files of a standard library should be."""

    name = ""
    """As a report names it: "compared with …"."""
    assurance: Assurance = "known"

    def __init__(self, files: Files) -> None:
        self._files = files

    def matches(self, files: Sequence[tuple[str, str]], workers: int) -> list[Match | Unreadable]:
        """What it says of files, given as path below the standard library and absolute path."""
        found = digests(self._files, [path for _, path in files], workers, follow=True)
        return [self._match(key, path, result) for (key, path), result in zip(files, found, strict=True)]

    def _match(self, key: str, path: str, result: Digest) -> Match | Unreadable:
        return result if isinstance(result, Unreadable) else self.match(key, path, result)

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """What it says of one file whose digest is known."""
        raise NotImplementedError

    def required(self) -> dict[str, Owner]:
        """Files that must be there, by path below the standard library."""
        raise NotImplementedError


class ReferenceBasis(Basis):
    """A reference that was made from a trusted installation; it knows every file, and those of the build too."""

    def __init__(self, files: Files, reference: Reference, library: str, version: str) -> None:
        super().__init__(files)
        self.name = "the reference"
        self._reference = reference
        self._library = library
        self._owner = Owner("tool", "the reference", version)

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """Every file is known or unknown."""
        expected = self._reference.files.get(f"{self._library}/{key}")
        if expected is None:
            return Match("unknown", None, sha256.hex())
        if expected == sha256:
            return Match("match", self._owner, sha256.hex())
        detail = "the reference has another hash"
        return Match("modified", self._owner, sha256.hex(), f"sha256:{expected.hex()}", detail)

    def required(self) -> dict[str, Owner]:
        """All of it."""
        start = self._library + "/"
        return {name[len(start) :]: self._owner for name in self._reference.files if name.startswith(start)}


class DpkgBasis(Basis):
    """dpkg's sums, where a package owns the standard library."""

    name = "dpkg's sums"
    assurance: Assurance = "recorded"

    def __init__(self, files: Files, dpkg: Dpkg, stdlib: str) -> None:
        super().__init__(files)
        self._dpkg = dpkg
        self._start = stdlib.rstrip("/") + "/"
        self._sums = dpkg.below(stdlib)
        self._listed = dpkg.links_below(stdlib)

    def matches(self, files: Sequence[tuple[str, str]], workers: int) -> list[Match | Unreadable]:
        """As dpkg has md5 sums, each file is read here."""
        return [self._read(path) for _, path in files]

    def _read(self, path: str) -> Match | Unreadable:
        recorded = self._sums.get(path)
        if recorded is None and path in self._listed:
            recorded = self._dpkg.find(path)
        if recorded is None:
            return Match("unknown")
        if recorded.md5 is None:
            # A link: what it leads to is another package's row, or a conffile.
            try:
                real = self._files.realpath(path)
            except Unreadable as error:
                return error
            recorded = self._dpkg.find(real) or recorded
        try:
            md5, sha256 = self._dpkg.md5(path)
        except Unreadable as error:
            return error
        if recorded.md5 is None:
            return Match("unproven", recorded.owner, sha256)
        if recorded.md5 == md5:
            return Match("match", recorded.owner, sha256)
        detail = "the md5 that dpkg recorded differs"
        return Match("modified", recorded.owner, sha256, f"md5:{recorded.md5}", detail)

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """Of one file; it is read again, for its md5."""
        found = self._read(path)
        return Match("unproven", None, sha256.hex(), None, found.why) if isinstance(found, Unreadable) else found

    def required(self) -> dict[str, Owner]:
        """Every file with a sum."""
        return {path[len(self._start) :]: recorded.owner for path, recorded in self._sums.items()}


class CondaBasis(Basis):
    """conda's records, where they own the interpreter and the standard library."""

    assurance: Assurance = "recorded"

    def __init__(self, files: Files, conda: Conda, stdlib: str, release: Release | None) -> None:
        super().__init__(files)
        self._release = release
        self._patched: set[str] = set()
        self._conda = conda
        self._start = stdlib.rstrip("/") + "/"
        self._rows = conda.below(stdlib)

    @property
    def name(self) -> str:  # type: ignore[override]
        """conda patches some modules, and who writes its records can change any: how many differ is said."""
        if self._release is None or not self._patched:
            return "conda's records"
        count = f"{len(self._patched):,} {'file differs' if len(self._patched) == 1 else 'files differ'}"
        return f"conda's records ({count} from CPython {self._release.version} as it was released)"

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """Every file of the package is known; what is made from others has no hash."""
        rows = self._rows.get(self._start + key, ())
        if not rows:
            return Match("unknown", None, sha256.hex())
        verdict = self._conda.judge(path, rows, sha256)
        if verdict == "match":
            if self._release is not None and sha256 != self._release.files.get(key, sha256):
                self._patched.add(key)
            return Match("match", rows[0].owner, sha256.hex())
        if verdict == "unhashed":
            return Match("unproven", rows[0].owner, sha256.hex())
        expected = next((row.sha256.hex() for row in rows if row.sha256 is not None), None)
        detail = "the sha256 that conda recorded differs"
        return Match("modified", rows[0].owner, sha256.hex(), f"sha256:{expected}" if expected else None, detail)

    def required(self) -> dict[str, Owner]:
        """Every file with a hash."""
        return {
            path[len(self._start) :]: rows[0].owner
            for path, rows in self._rows.items()
            if any(row.sha256 is not None for row in rows)
        }


class CatalogueBasis(Basis):
    """The release as CPython's source archive has it: nothing of what a build makes."""

    def __init__(self, files: Files, release: Release, minor: tuple[int, int]) -> None:
        super().__init__(files)
        self.name = f"CPython {release.version} as it was released"
        if release.in_part:
            self.name += ", as far as a distributor's build shows it"
        self._release = release
        self._minor = minor
        self._owner = Owner("tool", "CPython", release.version)

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """A file of the release, of a well-known build of it, or one that an older release of the X.Y left."""
        expected = self._release.files.get(key)
        if expected == sha256:
            return Match("match", self._owner, sha256.hex())
        for changed in self._release.builds.values():
            if changed.get(key) == sha256:
                return Match("match", self._owner, sha256.hex())
        others = releases_of(key, sha256, self._minor)
        if expected is None:
            if not others and self._release.in_part and (LEFT_OUT.match(key) or may_differ(key)):
                return Match("unproven", None, sha256.hex())
            # Upgraded in place: what a newer release dropped stays behind.
            return Match("match" if others else "unknown", self._owner if others else None, sha256.hex())
        detail = f"it is that of {others[-1]}" if others else "the release has another hash"
        return Match("modified", self._owner, sha256.hex(), f"sha256:{expected.hex()}", detail)

    def required(self) -> dict[str, Owner]:
        """Modules outside tests, and what new environments are made from."""
        return {
            path: self._owner
            for path in self._release.files
            if (path.endswith(".py") and not TESTS.search(path) and not path.startswith(("__phello__/", "msilib/")))
            or path.startswith(("ensurepip/_bundled/", "venv/scripts/common/", "venv/scripts/posix/"))
        }


class NeighbourBasis(Basis):
    """The other releases of an X.Y whose own release the catalogue does not have: they prove some of its files."""

    def __init__(self, files: Files, minor: tuple[int, int]) -> None:
        super().__init__(files)
        self.name = f"other releases of CPython {minor[0]}.{minor[1]}"
        self._minor = minor
        self._owner = Owner("tool", "CPython", None)

    @staticmethod
    def has(minor: tuple[int, int]) -> bool:
        """Whether the catalogue has any release of an X.Y."""
        return any(name.startswith(f"{minor[0]}.{minor[1]}.") for name in versions())

    def match(self, key: str, path: str, sha256: bytes) -> Match:
        """Bytes of some release are those of CPython; others may be this release's own, but not under a new name.

        A patch release adds tests and files of packages, no modules.
        """
        found = releases_of(key, sha256, self._minor)
        if found:
            return Match("match", self._owner, sha256.hex())
        named = key.partition("/")[0] in names_of(self._minor)
        return Match("unproven" if named else "unknown", None, sha256.hex())

    def required(self) -> dict[str, Owner]:
        """Which files this release has is not known."""
        return {}


def is_optional(key: str) -> bool:
    """Whether distributors leave out, or ship apart, the package of a file."""
    return key.partition("/")[0] in OPTIONAL
