"""The files of a site directory that no RECORD claims: dpkg's, a known tool's, or nobody's: code, or inert data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from envcheck.catalogue.consumers import BINARY, Consumer, consumer_of, is_phantom, site_consumer
from envcheck.files.digests import digest, digests
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.installed.distributions import Installation
from envcheck.installed.kinds import is_binary, is_code, is_derived
from envcheck.installed.owners import Owners, Site, stands_alone
from envcheck.installed.rows import Claims
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment
from envcheck.model.inventory import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.dpkg import Recorded
    from envcheck.model.ownership import Owner

_HEAD = 16
_PLAIN = frozenset({"module", "bytecode", "archive", "extension or library"})
"""Kinds of code that need no explanation."""
_LIBRARIES = re.compile(r"([^/]+)\.libs/")
"""Where auditwheel puts the libraries that a wheel's extensions find by RUNPATH."""
_CHUNK = 4096


class Loose:
    """What a walk met and no RECORD claims, by key."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        owners: Owners,
        site: Site,
        tally: Tally,
        workers: int,
    ) -> None:
        self._files = files
        self._environment = environment
        self._owners = owners
        self._site = site
        self._place = site.place
        self._tally = tally
        self._workers = workers
        self._keys: list[str] = []
        self._others: list[str] = []
        self._listed: dict[str, Owner] = {}
        self._sums: dict[str, Recorded] = {}
        if owners.dpkg_covers(self._place.site_dir):
            self._listed = owners.dpkg.links_below(self._place.site_dir)
            self._sums = owners.dpkg.below(self._place.site_dir)
        self._conda = owners.conda if environment.kind == "conda" else None

    def add(self, key: str) -> None:
        """A regular file."""
        self._keys.append(key)

    def add_others(self, prefix: str, names: Iterable[str]) -> None:
        """FIFOs, sockets and devices."""
        self._others.extend(prefix + name for name in names)

    def owned_by_dpkg(self, installation: Installation) -> bool:
        """Whether dpkg installed a distribution: then its sums are the record, and RECORD lists paths of the build."""
        if not any(self._is_listed(path) for path in installation.metadata_paths):
            # conda's packages have a RECORD, but for those of old.
            if (installation.layout == "dist-info" and "RECORD" in installation.names) or self._conda is None:
                return False
            if not any(self._conda.find(path) for path in installation.metadata_paths):
                return False
        share = self._tally.share(installation)
        share.proven_by_dpkg = True
        return True

    def verify(self, claims: Claims) -> None:
        """Judge every file."""
        self._verify_sums()
        skipped = self._metadata_without_record()
        code: dict[str, Consumer] = {}
        for key in self._keys:
            path = self._place.path(key)
            if self._is_listed(path) or self._is_condas(path) or self._belongs(key, skipped):
                continue
            if key in claims.unproven:
                if is_code(key):
                    detail, kind = "installed-files.txt has no hashes", consumer_of(key)
                    self._tally.add(
                        "record-unhashed", path, claims.unproven[key], detail=detail, kind=kind.kind if kind else None
                    )
                continue
            consumer = site_consumer(key)
            if consumer is not None:
                if not self._known(key, path):
                    code[key] = consumer
            elif self._is_binary(path):
                code[key] = BINARY
            elif not is_derived(key):
                self._tally.add("unowned-data", path)
        self._report_code(code)
        for key in self._others:
            if key in claims.owner_of:
                continue
            self._tally.add("unowned-data", self._place.path(key), detail="it is no regular file")

    def _report_code(self, code: dict[str, Consumer]) -> None:
        keys = list(code)
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            found = digests(self._files, [self._place.path(key) for key in part], self._workers)
            for key, result in zip(part, found, strict=True):
                path = self._place.path(key)
                if isinstance(result, Unreadable):
                    self._files.miss(result.path, result.why)
                    self._tally.add("unreadable", path, detail=result.why)
                    continue
                consumer = code[key]
                problem: Problem = "bytecode-sourceless" if key.endswith(".pyc") else "unowned-code"
                detail = None if consumer.kind in _PLAIN else consumer.effect
                libraries = _LIBRARIES.match(key)
                if libraries and consumer.kind == BINARY.kind:
                    detail = f"extensions of {libraries[1]} load their libraries from there"
                self._tally.add(problem, path, actual=result.hex(), detail=detail, kind=consumer.kind)
                if is_phantom(key):
                    self._tally.add("phantom-module", path, actual=result.hex(), detail=consumer.effect)

    def _metadata_without_record(self) -> frozenset[str]:
        """Metadata directories whose own inert files need no owner: that the RECORD is missing is told once."""
        return frozenset(
            found.directory_name
            for found in self._site.installations
            if found.layout in ("egg", "egg-info", "egg-info-file", "egg-link") or "RECORD" not in found.names
        )

    def _belongs(self, key: str, metadata: frozenset[str]) -> bool:
        top, slash, _ = key.partition("/")
        if top in metadata:
            # An egg is a whole distribution without hashes; other metadata directories hold no code.
            return top.endswith(".egg") or not is_code(key)
        if slash:
            return False
        # CPython ships a README.txt in site-packages; uv leaves its lock in a --target directory.
        return (self._environment.kind, key) in (("base", "README.txt"), ("target-directory", ".lock"))

    def _known(self, key: str, path: str) -> bool:
        """Whether a tool that leaves files outside every RECORD writes exactly this one."""
        if key.count("/") > 1:
            return False
        from envcheck.installed.owners import identify_at

        known = identify_at(self._files, path, key)
        return known is not None and stands_alone(key, known)

    def _is_binary(self, path: str) -> bool:
        try:
            return is_binary(self._files.read_part(path, _HEAD)[0])
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return False

    def _is_listed(self, path: str) -> bool:
        return path in self._listed

    def _is_condas(self, path: str) -> bool:
        """Whether conda's records list a file that no RECORD does; its bytes are compared."""
        rows = self._conda.find(path) if self._conda is not None else ()
        if not rows or self._conda is None:
            return False
        try:
            verdict = self._conda.verdict(path, rows)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            self._tally.add("unreadable", path, owner=rows[0].owner, detail=error.why)
            return True
        if verdict == "unhashed":
            # Bytecode and what conda makes has no hash; a module without one is nobody's.
            return not is_code(path) or "/__pycache__/" in path
        if verdict == "match":
            self._tally.verified += 1
        else:
            expected = next((row.sha256.hex() for row in rows if row.sha256 is not None), None)
            detail = "the sha256 that conda recorded differs"
            self._tally.add("modified", path, None, expected, digest(self._files, path)[0], detail, owner=rows[0].owner)
        return True

    def _verify_sums(self) -> None:
        """The md5 sums of dpkg's files."""
        for path, recorded in sorted(self._sums.items()):
            if recorded.md5 is None:
                continue
            try:
                md5, sha256 = self._owners.dpkg.md5(path)
            except Missing:
                self._tally.add("missing", path, expected=f"md5:{recorded.md5}", owner=recorded.owner)
                continue
            except Unreadable as error:
                self._files.miss(error.path, error.why)
                self._tally.add("unreadable", path, owner=recorded.owner, detail=error.why)
                continue
            if md5 == recorded.md5:
                self._tally.verified += 1
            else:
                detail = "the md5 that dpkg recorded differs"
                self._tally.add("modified", path, None, f"md5:{recorded.md5}", sha256, detail, owner=recorded.owner)
