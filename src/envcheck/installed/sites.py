"""One site directory, walked once: each file verified against what claims it, or judged as one that nothing claims."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from envcheck.files.digests import Digest, Hashing, heads
from envcheck.files.root import Directory, Files, Missing, Unreadable
from envcheck.formats.record import hash_field, read_hash
from envcheck.installed import bytecode
from envcheck.installed.judgement import judge
from envcheck.installed.kinds import is_binary, is_derived
from envcheck.installed.links import Links
from envcheck.installed.loose import Loose
from envcheck.installed.owners import Owners, Site, digest_of, identify_at, not_vouched
from envcheck.installed.rows import Claimed, Claims
from envcheck.installed.scripts import Scripts
from envcheck.installed.tally import Tally
from envcheck.installed.writable import Writable
from envcheck.model.environment import Environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.actual import Actual
    from envcheck.model.report import Progress

_EMPTY = hash_field(bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))


class SiteVerification:
    """One run over one site directory; what it finds goes to the tally."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        owners: Owners,
        site: Site,
        tally: Tally,
        writable: Writable,
        workers: int,
        progress: Progress | None,
    ) -> None:
        self._files = files
        self._owners = owners
        self.site = site
        self._place = site.place
        self._tally = tally
        self._workers = workers
        self._progress = progress
        self._claims = Claims(site)
        self._met = Claimed(self._claims.special)
        self._hashing: Hashing | None = None
        self._verified: list[tuple[Claimed, list[tuple[int, Digest]]]] = []
        self._derived: list[tuple[str, list[str]]] = []
        """Bytecode beside its source: what stands before the names, and the names."""
        self._links = Links(files, environment, self._place, tally, writable)
        self._loose = Loose(files, environment, owners, site, tally, workers)
        self._writable = writable
        self._usual = writable.usual(site.place.site_dir)

    def start(self, elsewhere: frozenset[str]) -> None:
        """Meet every file but those of the directories ``elsewhere``, and have them hashed."""
        for number, installation in enumerate(self.site.installations):
            if not self._loose.owned_by_dpkg(installation):
                self._claims.load(installation, number, self._tally)
        for key in self._claims.phantoms():
            path, claimant = self._place.path(key), self.site.installations[self._claims.owner_of[key]]
            if self._files.is_file(path):
                self._tally.add("phantom-module", path, claimant, detail=f"{claimant.name} ships it")
        self._walk(elsewhere)
        met = self._met
        self._hashing = Hashing(
            self._files,
            self._place.prefix,
            met.keys,
            self._workers,
            equal=met.equal,
            advance=self._advance,
            usual=self._usual,
        )
        self._check_derived()

    def finish(self, scripts: Scripts) -> None:
        """Verify what was met, and what was not; claims on scripts are handed to ``scripts``."""
        assert self._hashing is not None
        with self._hashing:
            self._verify(self._met, self._hashing)
        self._elsewhere(scripts)
        self._links.verify(self._claims)
        self._loose.verify(self._claims)

    def actual(self, scripts: Scripts) -> Iterator[Actual]:
        """What the files of each distribution are; to be asked when the scripts are verified too."""
        from envcheck.installed.actual import actual_files

        return actual_files(self._claims, self._verified, scripts)

    @property
    def shared(self) -> Collection[str]:
        """Keys that more than one row claims."""
        return self._claims.others.keys()

    def stop(self) -> None:
        """End what is being hashed."""
        if self._hashing is not None:
            self._hashing.stop()

    def _walk(self, elsewhere: frozenset[str]) -> None:
        owner_of = self._claims.owner_of
        field_of = self._claims.field_of
        met = self._met.add
        top = len(self._place.prefix)
        sources: dict[str, frozenset[str]] = {}
        for directory in self._files.walk(self._place.site_dir):
            path = directory.path
            if path in elsewhere:
                directory.dirs.clear()
                continue
            prefix = path[top:] + "/" if len(path) > top else ""
            if "__pycache__" in directory.dirs:
                sources[prefix + "__pycache__/"] = frozenset(directory.files).union(directory.links)
            if prefix in sources:
                self._bytecode(directory, prefix, sources.pop(prefix))
                continue
            for name in directory.files:
                key = prefix + name
                number = owner_of.pop(key, -1)
                if number < 0:
                    self._loose.add(key)
                else:
                    met(key, number, field_of.pop(key))
            self._links.meet(prefix, directory.links)
            self._loose.add_others(prefix, directory.others)

    def _bytecode(self, directory: Directory, prefix: str, sources: frozenset[str]) -> None:
        """Files of a ``__pycache__``: owned by their source's owner, listed or not."""
        claims = self._claims
        derived: list[str] = []
        for name in directory.files:
            source = bytecode.source_name(name)
            key = prefix + name
            number = claims.owner_of.pop(key, -1)
            field = claims.field_of.pop(key, "")
            if source is not None and source in sources:
                # A listed hash says nothing: Python rewrites bytecode whenever its source looks newer.
                derived.append(name)
            elif number >= 0 and field:
                self._met.add(key, number, field)
            elif source is not None:
                detail = f"{source} is not there"
                self._tally.add("bytecode-orphan", self._place.path(key), detail=detail)
            else:
                self._loose.add(key)
        if derived:
            self._derived.append((prefix, derived))
        self._links.meet(prefix, directory.links)
        self._loose.add_others(prefix, directory.others)

    def _check_derived(self) -> None:
        """Whether Python would compare bytecode with its source; looked at while copies of this process hash."""
        met = self._writable.meet
        for prefix, names in self._derived:
            paths = [self._place.path(prefix + name) for name in names]
            for path, head in zip(paths, heads(self._files, paths, bytecode.HEADER, met), strict=True):
                if isinstance(head, Unreadable):
                    self._files.miss(head.path, head.why)
                elif bytecode.is_unchecked(head):
                    self._tally.add("bytecode-unchecked", path)
        self._derived.clear()

    def _verify(self, claimed: Claimed, hashing: Hashing) -> None:
        """Compare what is not plainly as its row says."""
        differing = hashing.differing()
        self._verified.append((claimed, differing))
        for index in hashing.unusual():
            path = self._place.path(claimed.keys[index])
            found = self._files.stat(path)
            if found is not None:
                self._writable.meet(path, found)
        self._tally.verified += len(claimed.keys) - len(differing)
        for index, result in differing:
            self._compare(claimed.keys[index], claimed.numbers[index], claimed.fields[index], result)

    def _compare(self, key: str, number: int, field: str, result: Digest) -> None:
        """The files where an equal sha256 is not all there is to say."""
        path = self._place.path(key)
        installation = self.site.installations[number]
        if isinstance(result, Unreadable):
            self._unreadable(key, number, field, result)
            return
        if not field and key not in self._claims.special:
            if not is_derived(key):
                detail, kind = "the row has no hash", self._kind(key, path)
                self._tally.add("record-unhashed", path, installation, None, result.hex(), detail, kind=kind)
            return
        judged = judge(key, self._claims.hashes(key, number, field), digest_of(self._files, path, result))
        if judged.verdict == "recorded":
            if key in self._claims.special and self._closed_set(key, path, result):
                return
            self._tally.verified += 1
        elif judged.verdict == "modified" and self._owners.conda_explains(path, judged.expected, result):
            self._tally.verified += 1
        elif judged.verdict == "modified" or (judged.expected is not None and self._does_something(key, path)):
            self._tally.add("modified", path, judged.claimant, judged.expected, result.hex(), judged.detail)
        elif judged.verdict == "conflict":
            kind = self._kind(key, path)
            self._tally.add(
                "record-conflict", path, judged.claimant, judged.expected, result.hex(), judged.detail, kind=kind
            )
        elif not is_derived(key):
            kind = self._kind(key, path)
            self._tally.add("record-unhashed", path, judged.claimant, None, result.hex(), judged.detail, kind=kind)

    def _kind(self, key: str, path: str) -> str | None:
        """What consumes a file that nothing proves; ``None`` where it is inert data."""
        from envcheck.catalogue.consumers import BINARY, consumer_of

        consumer = consumer_of(key)
        if consumer is not None:
            return consumer.kind
        try:
            return BINARY.kind if is_binary(self._files.read_part(path, 16)[0]) else None
        except Unreadable:
            return None

    def _does_something(self, key: str, path: str) -> bool:
        """Whether a file that two wheels ship is a binary, or an ``__init__.py`` that makes more than a namespace."""
        if key.rpartition("/")[2] != "__init__.py":
            return self._kind(key, path) is not None
        from envcheck.catalogue.namespaces import is_namespace_module

        try:
            return not is_namespace_module(self._files.read(path, self._files.limits.startup))
        except Unreadable:
            return True

    def _closed_set(self, key: str, path: str, result: bytes) -> bool:
        """Report a startup file that only self-made RECORDs, or seeds', list, unless a known tool writes it."""
        from envcheck.installed.closedset import needs_known_content

        if not needs_known_content(key):
            return False
        claimants = self._claims.claimants(key)
        if any(not claimant.closed for claimant in claimants):
            return False
        why = not_vouched(self.site, claimants[0], key, identify_at(self._files, path, key))
        if why is None:
            return False
        self._tally.add("closed-set", path, claimants[0], actual=result.hex(), detail=why)
        return True

    def _unreadable(self, key: str, number: int, field: str, error: Unreadable) -> None:
        path = self._place.path(key)
        installation = self.site.installations[number]
        if isinstance(error, Missing):
            # Rows without a hash for bytecode, or for its directory, may stand anywhere (virtualenv).
            if not is_derived(key) and not (not field and key.endswith((".pyc", "__pycache__"))):
                self._tally.add("missing", path, installation, read_hash(field).digest.hex() or None)
        elif error.why.startswith("is a "):
            if not (error.why.startswith("is a directory") and field in ("", _EMPTY)):
                self._tally.add("modified", path, installation, "a regular file", error.why.removeprefix("is "))
        else:
            self._files.miss(error.path, error.why)
            self._tally.add("unreadable", path, installation, detail=error.why)

    def _elsewhere(self, scripts: Scripts) -> None:
        """Claims on what the walk did not meet: other directories of the prefix, files behind links, what is gone."""
        claims = self._claims
        left = Claimed(claims.special)
        paths = []
        for key, number in claims.owner_of.items():
            path = self._place.path(key)
            field = claims.field_of[key]
            if key[:1] == "/":
                self._links.meet_claimed(path)
            if scripts.takes(path):
                for claimant, found in claims.hashes(key, number, field):
                    scripts.claim(path, claimant, found)
            elif bytecode.source_key(key) is None:
                scripts.verified(path)
                left.add(key, number, field)
                paths.append(path)
        # Textually inside the environment; links are followed because whole trees of links are a way to install.
        with Hashing(
            self._files, "", paths, self._workers, follow=True, equal=left.equal, usual=self._usual
        ) as hashing:
            self._verify(left, hashing)

    def _advance(self, done: int) -> None:
        if self._progress is not None:
            self._progress("verifying files", done, len(self._met.keys))
