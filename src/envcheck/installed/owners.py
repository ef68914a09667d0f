"""One file's path into who claims it and how strongly its bytes are proven; nothing is read before it is asked for.

RECORDs are searched as bytes: a startup-only scan asks for a handful of files among hundreds of RECORDs.
"""

from __future__ import annotations

from envcheck.files.digests import digest
from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.record import Hash, Mentions, hash_field, read_hash
from envcheck.installed import bytecode
from envcheck.installed.closedset import needs_known_content
from envcheck.installed.distributions import Installation, installations
from envcheck.installed.judgement import DigestOf, Judgement, judge
from envcheck.installed.kinds import is_startup_file
from envcheck.installed.places import Place, place
from envcheck.model.environment import Environment
from envcheck.model.ownership import Claim, Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcheck.catalogue.known import Known
    from envcheck.installed.conda import Conda
    from envcheck.installed.dpkg import Dpkg
    from envcheck.installed.references import Reference
    from envcheck.installed.stdlib import StandardLibrary


_NAMESPACE = "-nspkg.pth"
"""A known file of this name makes empty modules and does no more, whoever wrote it."""


class Site:
    """One site directory and what is installed in it."""

    def __init__(self, files: Files, where: Place) -> None:
        self.place = where
        self.installations = installations(files, where)
        self._candidates: dict[str, list[Installation]] = {}
        self._mentions: Mentions | None = None

    def claims(self, key: str) -> list[tuple[Installation, Hash]]:
        """Every row of every RECORD that stands for the file."""
        top, slash, _ = key.partition("/")
        found = []
        for installation in self.mentioning(top + slash):
            for field in installation.lookup.fields(key, self.place.key):
                found.append((installation, read_hash(field)))
        return found

    def other_owner(self, module: str, than: Installation) -> Installation | None:
        """A distribution, other than one, that installed a module or package of this dotted name."""
        key = module.replace(".", "/")
        for installation in self.mentioning(key.partition("/")[0]):
            if installation is than:
                continue
            lookup = installation.lookup
            if lookup.fields(key + "/__init__.py", self.place.key) or lookup.fields(key + ".py", self.place.key):
                return installation
        return None

    def mentioning(self, name: str) -> list[Installation]:
        """The distributions whose RECORD may list a top-level file, or files below a directory (``NAME/``)."""
        if name not in self._candidates:
            if self._mentions is None:
                self._mentions = Mentions([found.lookup for found in self.installations])
            self._candidates[name] = [self.installations[number] for number in self._mentions.of(name)]
        return self._candidates[name]


class Owners:
    """The owners of single files of one environment."""

    def __init__(self, files: Files, environment: Environment, references: Sequence[Reference] = ()) -> None:
        self._files = files
        self._environment = environment
        self.references = references
        self._places = sorted(
            (place(environment, site) for site in environment.site_dirs), key=lambda found: -len(found.prefix)
        )
        self._sites: dict[str, Site] = {}
        self._claims: dict[str, Claim] = {}
        self._outliers: dict[int, dict[str, str | None] | None] = {}
        self._dpkg: Dpkg | None = None
        self._conda: Conda | None = None
        self._stdlib: StandardLibrary | None = None

    def claim(self, path: str) -> Claim:
        """Owner and assurance of one file (absolute path in normal form, links followed for the bytes)."""
        found = self._claims.get(path)
        if found is None:
            found = self._claims[path] = self._claim(path)
        return found

    def take_anchors(self, outliers: dict[int, dict[str, str | None] | None]) -> None:
        """From now on, judge the files of these distributions by their anchors (`anchoring.Anchored.outliers`)."""
        self._outliers = outliers
        self._claims.clear()

    def known(self, path: str) -> str | None:
        """What the catalogue knows a file's whole content as, by its name in its site directory."""
        for where in self._places:
            if path.startswith(where.prefix):
                known = self._identify(path, where.key_of(path))
                return None if known is None else known.what
        return None

    def site(self, where: Place) -> Site:
        """What is installed in one site directory, listed once."""
        if where.site_dir not in self._sites:
            self._sites[where.site_dir] = Site(self._files, where)
        return self._sites[where.site_dir]

    @property
    def dpkg(self) -> Dpkg:
        """The package database of the target's machine."""
        if self._dpkg is None:
            from envcheck.installed.dpkg import Dpkg

            self._dpkg = Dpkg(self._files)
        return self._dpkg

    @property
    def conda(self) -> Conda | None:
        """conda's records of the prefix that the interpreter lies in; ``None`` where there are none."""
        prefix = self._environment.python.base_prefix
        if self._conda is None and prefix and self._files.is_dir(f"{prefix}/conda-meta"):
            from envcheck.installed.conda import Conda

            self._conda = Conda(self._files, prefix, self._environment.python.executable)
        return self._conda

    @property
    def stdlib(self) -> StandardLibrary:
        """The standard library that the interpreter imports from."""
        if self._stdlib is None:
            from envcheck.installed.stdlib import StandardLibrary

            self._stdlib = StandardLibrary(self._files, self._environment, self, self.references)
        return self._stdlib

    def _is_stdlib(self, path: str) -> bool:
        stdlib = self._environment.stdlib
        return stdlib is not None and path.startswith(stdlib + "/") and self.stdlib.covers(path)

    def _conda_claim(self, path: str, sha256: str) -> Claim | None:
        """conda's claim on a file that no RECORD lists."""
        rows = self.conda.find(path) if self.conda is not None else ()
        if not rows or self.conda is None:
            return None
        verdict = self.conda.judge(path, rows, bytes.fromhex(sha256))
        if verdict == "match":
            return Claim(rows[0].owner, "recorded", sha256)
        if verdict == "differs":
            return Claim(rows[0].owner, "modified", sha256, "the sha256 that conda recorded differs")
        return Claim(rows[0].owner, "unrecorded", sha256, "conda recorded no hash of it")

    def conda_explains(self, path: str, expected: str | None, sha256: bytes) -> bool:
        """Whether a file is not as its RECORD says (``sha256:…``) because conda changed it, and is as conda left it."""
        algorithm, _, digits = (expected or "").partition(":")
        if algorithm != "sha256" or self.conda is None:
            return False
        return self.conda.explains(path, bytes.fromhex(digits), sha256)

    def conda_lists(self, path: str) -> bool:
        """Whether conda's records of this prefix have a row for a path."""
        return self.conda is not None and bool(self.conda.find(path))

    def dpkg_covers(self, path: str) -> bool:
        """Whether dpkg may own a path: it never does below ``/usr/local`` or in a home directory."""
        return path.startswith(("/usr/", "/etc/")) and not path.startswith("/usr/local/") and self.dpkg.covers(path)

    def dpkg_lists(self, path: str) -> bool:
        """Whether a package of dpkg's lists a path."""
        return self.dpkg_covers(path) and self.dpkg.find(path) is not None

    def _claim(self, path: str) -> Claim:
        if self.dpkg_covers(path):
            by_dpkg = self.dpkg.claim(path)
            if by_dpkg is not None:
                return by_dpkg
        for where in self._places:
            if path.startswith(where.prefix):
                return self._claim_in(self.site(where), path, where.key_of(path))
        source = bytecode.source_key(path)
        return self._claim_outside(path) if source is None else self._claim_derived(path, self.claim(source))

    def _claim_in(self, site: Site, path: str, key: str) -> Claim:
        source = bytecode.source_key(key)
        if source is not None:
            return self._claim_bytecode(site, path, key, source)
        claims = site.claims(key)
        try:
            sha256 = digest(self._files, path)[0]
        except Unreadable as error:
            if not isinstance(error, Missing):
                self._files.miss(error.path, error.why)
            owner = claims[0][0].owner if claims else None
            return Claim(owner, "unrecorded", None, error.why)
        if not claims:
            return self._claim_unlisted(site, path, key, sha256)
        judged = judge(key, claims, self._digest_of(path, sha256), strict=True)
        if self._outliers:
            anchored = self._by_anchor(key, claims, judged, sha256)
            if anchored is not None:
                return anchored
        owner = judged.claimant.owner
        if judged.verdict == "modified":
            if self.conda_explains(path, judged.expected, bytes.fromhex(sha256)):
                return Claim(owner, "recorded", sha256, "as conda changed it")
            detail = f" ({judged.detail})" if judged.detail else ""
            return Claim(owner, "modified", sha256, f"the hash in {owner.name}'s RECORD differs{detail}")
        if judged.verdict != "recorded":
            return Claim(owner, "unrecorded", sha256, judged.detail)
        if judged.claimant.closed and needs_known_content(key, anywhere=True):
            why = not_vouched(site, judged.claimant, key, self._identify(path, key))
            if why is not None:
                return Claim(owner, "unrecorded", sha256, why)
        return Claim(owner, "recorded", sha256)

    def _by_anchor(
        self, key: str, claims: list[tuple[Installation, Hash]], judged: Judgement, sha256: str
    ) -> Claim | None:
        """The claim of distributions that have an anchor; ``None`` where none that lists the file has one."""
        field = hash_field(bytes.fromhex(sha256)).removeprefix("sha256=")
        proven: Claim | None = None
        for claimant in {id(found): found for found, _ in claims}.values():
            if id(claimant) not in self._outliers:
                if judged.verdict != "recorded":
                    return None
                continue
            outliers = self._outliers[id(claimant)]
            owner = claimant.owner
            if outliers is None:
                why = "its RECORD is not that of a wheel that the lock has"
                return Claim(owner, "unrecorded", sha256, why)
            expected = outliers.get(key, "")
            if expected is None:
                return Claim(owner, "unrecorded", sha256, "the wheel that the lock has does not have it")
            if expected[-len(field) :] == field or (not expected and judged.verdict == "recorded"):
                proven = proven or Claim(owner, "anchored", sha256)
            else:
                return Claim(owner, "modified", sha256, "the wheel that the lock has has another")
        return proven

    def _claim_bytecode(self, site: Site, path: str, key: str, source: str) -> Claim:
        """Bytecode takes its source's owner and assurance, never more than its own form allows.

        Python rewrites it when the source looks newer, so that a hash that differs says nothing.
        """
        behind = self._claim_in(site, site.place.path(source), source)
        claim = self._claim_derived(path, behind)
        hashes = [found for _, found in site.claims(key) if found.kind == "strong"]
        if claim.sha256 is not None and hashes:
            digest_of = self._digest_of(path, claim.sha256)
            if all(digest_of(found.algorithm) == found.digest for found in hashes):
                return Claim(behind.owner, behind.assurance, claim.sha256, "its own hash is in RECORD")
        return claim

    def _claim_derived(self, path: str, behind: Claim) -> Claim:
        """Bytecode by the claim on its source."""
        try:
            sha256 = digest(self._files, path)[0]
        except Unreadable as error:
            if not isinstance(error, Missing):
                self._files.miss(error.path, error.why)
            return Claim(behind.owner, "unrecorded", None, error.why)
        if behind.sha256 is None:
            return Claim(behind.owner, "unrecorded", sha256, "bytecode whose source is not there")
        if bytecode.unchecked(self._files, path):
            return Claim(behind.owner, "unrecorded", sha256, "unchecked bytecode: it is never compared with its source")
        return Claim(behind.owner, behind.assurance, sha256, "bytecode: taken for its source's, not recompiled")

    def _claim_unlisted(self, site: Site, path: str, key: str, sha256: str) -> Claim:
        known = self._identify(path, key)
        if known is not None and stands_alone(key, known):
            return Claim(Owner("tool", known.tool, known.version), "known", sha256, known.what)
        by_conda = self._conda_claim(path, sha256)
        if by_conda is not None:
            return by_conda
        for installation in site.installations:
            if installation.installed_files is not None and listed(installation, key):
                return Claim(installation.owner, "unrecorded", sha256, "installed-files.txt has no hashes")
        return Claim(None, "unrecorded", sha256, None if known is None else f"{known.what}, but no RECORD lists it")

    def _claim_outside(self, path: str) -> Claim:
        """A file outside every site directory: the standard library's, or the project of an editable install."""
        if self._is_stdlib(path):
            of_library = self.stdlib.claim(path)
            if of_library is not None:
                return of_library
        try:
            sha256 = digest(self._files, path)[0]
        except Unreadable as error:
            if not isinstance(error, Missing):
                self._files.miss(error.path, error.why)
            return Claim(None, "unrecorded", None, error.why)
        by_conda = self._conda_claim(path, sha256)
        if by_conda is not None:
            return by_conda
        name = path.rpartition("/")[2]
        known = self._identify(path, name)
        if known is not None and stands_alone(name, known):
            return Claim(Owner("tool", known.tool, known.version), "known", sha256, known.what)
        if not is_startup_file(name):
            for where in self._places:
                for installation in self.site(where).installations:
                    project = installation.project if installation.editable else None
                    if project and path.startswith(project + "/"):
                        return Claim(installation.owner, "unrecorded", sha256, "the source of an editable install")
        return Claim(None, "unrecorded", sha256)

    def _digest_of(self, path: str, sha256: str) -> DigestOf:
        return digest_of(self._files, path, bytes.fromhex(sha256))

    def _identify(self, path: str, key: str) -> Known | None:
        return identify_at(self._files, path, key)


def digest_of(files: Files, path: str, sha256: bytes) -> DigestOf:
    """A file's digest by algorithm; others than sha256 are computed when asked for."""

    def compute(algorithm: str) -> bytes:
        if algorithm == "sha256":
            return sha256
        import hashlib

        try:
            return hashlib.new(algorithm, files.read(path, files.limits.record)).digest()
        except Unreadable as error:
            files.miss(error.path, error.why)
            return b""

    return compute


def identify_at(files: Files, path: str, key: str) -> Known | None:
    """The known tool that writes such a file; what cannot be read, or is large, is not known."""
    from envcheck.catalogue.known import identify

    try:
        return identify(key, files.read(path, files.limits.startup))
    except Unreadable:
        return None


def stands_alone(key: str, known: Known) -> bool:
    """Whether the content alone makes a file known, without a claim.

    Not a path line or a finder, which lead wherever their writer wanted: those need the RECORD of the project. Nor what
    puts anything in place of the standard library, which no Python that is modelled here needs.
    """
    if known.comes_first:
        return False
    return known.written_by_tool or known.form == "digest" or key.endswith(_NAMESPACE)


def not_vouched(site: Site, installation: Installation, key: str, known: Known | None) -> str | None:
    """Why a closed RECORD's row is not enough for a startup file, in words; ``None`` where it is.

    The content must be a known tool's, and a finder may answer for no module that another distribution installed.
    """
    made = "editable" if installation.editable else "locally built" if installation.self_made else "a seed by its name"
    if known is None:
        return (
            f"only the RECORD of {installation.name}, which is {made}, lists it, and no known tool writes such a file"
        )
    for module in () if key.endswith(_NAMESPACE) else known.modules:
        other = site.other_owner(module, installation)
        if other is not None:
            return f"it answers for {module}, which {other.name} installed"
    return None


def listed(installation: Installation, key: str) -> bool:
    """Whether ``installed-files.txt`` (paths relative to the metadata directory) lists a file."""
    where = installation.place
    return any(where.key(f"{installation.directory_name}/{row}") == key for row in installation.installed_files or ())
