"""One site directory, walked once: each file verified against what claims it, or judged as one that nothing claims."""

from __future__ import annotations

from collections import deque

from envcheck.files.digests import Batch, Digest, Hasher, digests, heads
from envcheck.files.root import Directory, Files, Missing, Unreadable
from envcheck.installed import bytecode
from envcheck.installed.judgement import judge
from envcheck.installed.kinds import is_derived
from envcheck.installed.links import Links
from envcheck.installed.loose import Loose
from envcheck.installed.owners import Owners, Site, digest_of, identify_at, not_vouched
from envcheck.installed.record import hash_field, hash_fields, read_hash
from envcheck.installed.rows import Claims
from envcheck.installed.scripts import Scripts
from envcheck.installed.tally import Tally
from envcheck.model.environment import Environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress

_CHUNK = 2048
"""Files hashed in one go: bounds what is held in memory."""
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
        workers: int,
        progress: Progress | None,
    ) -> None:
        self._files = files
        self._site = site
        self._place = site.place
        self._tally = tally
        self._workers = workers
        self._progress = progress
        self._claims = Claims(site)
        self._total = self._done = 0
        self._keys: list[str] = []
        self._numbers: list[int] = []
        self._fields: list[str] = []
        self._hasher = Hasher(files, workers)
        self._batches: deque[tuple[list[str], list[int], list[str], Batch]] = deque()
        self._links = Links(files, environment, self._place, tally)
        self._loose = Loose(files, environment, owners, site, tally, workers)

    def run(self, elsewhere: frozenset[str], scripts: Scripts) -> None:
        """Verify everything but the directories ``elsewhere``; claims on scripts are handed to ``scripts``."""
        for number, installation in enumerate(self._site.installations):
            if not self._loose.owned_by_dpkg(installation):
                self._claims.load(installation, number, self._tally)
        self._total = len(self._claims.owner_of)
        with self._hasher:
            self._walk(elsewhere)
            self._flush()
            while self._batches:
                self._verify_batch()
        self._links.verify(self._claims)
        self._elsewhere(scripts)
        self._loose.verify(self._claims)

    def _walk(self, elsewhere: frozenset[str]) -> None:
        owner_of, field_of = self._claims.owner_of, self._claims.field_of
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
                    self._keys.append(key)
                    self._numbers.append(number)
                    self._fields.append(field_of.pop(key))
            self._links.meet(prefix, directory.links)
            self._loose.add_others(prefix, directory.others)
            if len(self._keys) >= _CHUNK:
                self._flush()

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
                derived.append(self._place.path(key))
            elif number >= 0 and field:
                self._keys.append(key)
                self._numbers.append(number)
                self._fields.append(field)
            elif source is not None:
                detail = f"{source} is not there"
                self._tally.add("bytecode-orphan", self._place.path(key), detail=detail)
            else:
                self._loose.add(key)
        for path, head in zip(derived, heads(self._files, derived, bytecode.HEADER), strict=True):
            if isinstance(head, Unreadable):
                self._files.miss(head.path, head.why)
            elif bytecode.is_unchecked(head):
                self._tally.add("bytecode-unchecked", path)
        self._links.meet(prefix, directory.links)
        self._loose.add_others(prefix, directory.others)

    def _flush(self) -> None:
        """Have hashed what was met, and compare what was hashed meanwhile."""
        prefix = self._place.prefix
        batch = self._hasher.start([prefix + key for key in self._keys])
        self._batches.append((self._keys, self._numbers, self._fields, batch))
        self._keys, self._numbers, self._fields = [], [], []
        if len(self._batches) > self._workers:
            self._verify_batch()

    def _verify_batch(self) -> None:
        """Compare the oldest batch."""
        keys, numbers, fields, batch = self._batches.popleft()
        found = batch.digests()
        special = self._claims.special
        equal = 0
        made = hash_fields(found)
        for key, number, field, result, made_field in zip(keys, numbers, fields, found, made, strict=True):
            if field == made_field and key not in special:
                equal += 1
            else:
                self._compare(key, number, field, result)
        self._tally.verified += equal
        self._advance(len(keys))

    def _compare(self, key: str, number: int, field: str, result: Digest) -> None:
        """The files where an equal sha256 is not all there is to say."""
        path = self._place.path(key)
        installation = self._site.installations[number]
        if isinstance(result, Unreadable):
            self._unreadable(key, number, field, result)
            return
        if not field and key not in self._claims.special:
            if not is_derived(key):
                self._tally.add(
                    "record-unhashed", path, installation, actual=result.hex(), detail="the row has no hash"
                )
            return
        judged = judge(key, self._claims.hashes(key, number, field), digest_of(self._files, path, result))
        if judged.verdict == "recorded":
            if key in self._claims.special and self._closed_set(key, path, result):
                return
            self._tally.verified += 1
        elif judged.verdict == "modified":
            self._tally.add("modified", path, judged.claimant, judged.expected, result.hex(), judged.detail)
        elif judged.verdict == "conflict":
            self._tally.add("record-conflict", path, judged.claimant, judged.expected, result.hex(), judged.detail)
        elif not is_derived(key):
            self._tally.add("record-unhashed", path, judged.claimant, None, result.hex(), judged.detail)

    def _closed_set(self, key: str, path: str, result: bytes) -> bool:
        """Report a startup file that only self-made RECORDs, or seeds', list, unless a known tool writes it."""
        from envcheck.installed.closedset import needs_known_content

        if not needs_known_content(key):
            return False
        claimants = self._claims.claimants(key)
        if any(not claimant.closed for claimant in claimants):
            return False
        why = not_vouched(self._site, claimants[0], key, identify_at(self._files, path, key))
        if why is None:
            return False
        self._tally.add("closed-set", path, claimants[0], actual=result.hex(), detail=why)
        return True

    def _unreadable(self, key: str, number: int, field: str, error: Unreadable) -> None:
        path = self._place.path(key)
        installation = self._site.installations[number]
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
        batch = []
        for key, number in claims.owner_of.items():
            path = self._place.path(key)
            if scripts.takes(path):
                for claimant, found in claims.hashes(key, number, claims.field_of[key]):
                    scripts.claim(path, claimant, found)
            elif bytecode.source_key(key) is None:
                scripts.verified(path)
                batch.append((key, number, claims.field_of[key]))
        for start in range(0, len(batch), _CHUNK):
            part = batch[start : start + _CHUNK]
            paths = [self._place.path(key) for key, _, _ in part]
            # Textually inside the environment; links are followed because whole trees of links are a way to install.
            for (key, number, field), result in zip(
                part, digests(self._files, paths, self._workers, True), strict=True
            ):
                if type(result) is bytes and field == hash_field(result) and key not in claims.special:
                    self._tally.verified += 1
                else:
                    self._compare(key, number, field, result)
            self._advance(len(part))

    def _advance(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress("verifying files", min(self._done, self._total), self._total)
