"""Bytecode and its source in, the proof that one comes from the other out: compiled again, read, compared."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence

from envcheck.files.root import Files, Unreadable
from envcheck.formats.bytecode import HEADER_SIZE, MAGIC_NUMBERS, optimization, read_header
from envcheck.formats.codecompare import Difference, difference
from envcheck.formats.marshal import MAX_BYTES, Code, MarshalError, OverBound, read_code
from envcheck.installed.recompile import BOUNDS, Bounds, Compiled, Helper, HelperError
from envcheck.model.bytecode import BytecodeCoverage, Proof, Scope, TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.nouns import NamedTuple
from envcheck.model.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.model.report import Progress

_DEATHS = 8
"""Helpers that may end before their time in one scan; then compiling stops."""
_NO_RANGES = ("-X", "no_debug_ranges")
_NO_PYTHON = "no trusted interpreter with that magic number"
_GAVE_UP = "too many sources ended the interpreter that compiled them again"
_OTHER_PATCH = "only instructions differ, as between patch releases"


class Cached(NamedTuple):
    """A source, and the bytecode that CPython accepts in its place."""

    source: str
    path: str


class _Job(NamedTuple):
    cached: Cached
    magic: int
    optimize: int
    source: bytes
    data: bytes


class Prover:
    """Proves bytecode of one environment; starts helpers when there is something to compile, ends them with `close`."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        trusted: Sequence[TrustedPython],
        bounds: Bounds = BOUNDS,
        progress: "Progress | None" = None,
    ) -> None:
        self._files = files
        self._version = environment.python.version
        self._minor = environment.python.minor
        self._bounds = bounds
        self._progress = progress
        self._pythons = [python.path for python in trusted if python.minor == self._minor]
        self._own = frozenset(python.path for python in trusted if python.own)
        self._helpers: dict[tuple[str, bool], Helper | None] = {}
        self._deaths = 0
        self._proofs: dict[str, Proof] = {}
        self._used: dict[str, None] = {}
        self._started: dict[str, None] = {}

    def prove(self, cached: Iterable[Cached], meanwhile: Callable[[], None] | None = None) -> dict[str, Proof]:
        """A proof for each file of bytecode, by its path; what was proven before is not compiled again.

        ``meanwhile`` is called once, while a helper compiles, if one does.
        """
        wanted = list(dict.fromkeys(cached))
        previous: tuple[_Job, Helper, Compiled] | None = None
        for done, job in enumerate(self._jobs(one for one in wanted if one.path not in self._proofs), 1):
            helper = self._first_helper(job)
            if helper is None:
                continue
            sent = self._send(helper, job)
            if meanwhile is not None:
                meanwhile()
                meanwhile = None
            if previous is not None:
                # While the helper compiles one source, the one before is compared here.
                self._conclude(*previous)
            answer = self._receive(helper, job) if sent else None
            previous = None if answer is None else (job, helper, answer)
            if self._progress is not None and not done % 64:
                self._progress("comparing bytecode", done, len(wanted))
        if previous is not None:
            self._conclude(*previous)
        return {one.path: self._proofs[one.path] for one in wanted if one.path in self._proofs}

    def close(self) -> None:
        """End the helpers."""
        for helper in self._helpers.values():
            if helper is not None:
                helper.close()
        self._helpers.clear()

    def coverage(self, scope: Scope) -> tuple[BytecodeCoverage, ...]:
        """Everything proven and unproven so far, by magic number."""
        found = []
        for magic in sorted({proof.magic for proof in self._proofs.values()}):
            proofs = [proof for proof in self._proofs.values() if proof.magic == magic]
            results = [proof.result for proof in proofs]
            reasons: dict[str, int] = {}
            for proof in proofs:
                if proof.result == "unproven":
                    reasons[proof.why or ""] = reasons.get(proof.why or "", 0) + 1
            found.append(
                BytecodeCoverage(
                    magic,
                    "{}.{}".format(*self._minor),
                    scope,
                    len(proofs),
                    results.count("proven"),
                    results.count("mismatch"),
                    results.count("unproven"),
                    tuple(self._used),
                    tuple(sorted(reasons.items())),
                    tuple(self._started),
                )
            )
        return tuple(found)

    # Jobs -------------------------------------------------------------------------------------------------------

    def _jobs(self, cached: Iterable[Cached]) -> Iterator[_Job]:
        """What is to be compiled, read one by one; what cannot be is concluded here."""
        for one in cached:
            try:
                usable = bool(self._candidates())
                data, size = self._files.read_part(one.path, HEADER_SIZE + (MAX_BYTES if usable else 0))
                header = read_header(data, self._minor)
                if header is None:
                    continue
                optimize = optimization(posixpath.basename(one.path))
                if optimize is None:
                    continue
                if not usable:
                    self._unproven(one, header.magic, _NO_PYTHON if self._deaths < _DEATHS else _GAVE_UP)
                    continue
                if size > len(data):
                    raise Unreadable(one.path, f"larger than the bound of {MAX_BYTES:,} bytes")
                source = self._files.read(one.source, self._files.limits.startup)
            except Unreadable as error:
                self._files.miss(error.path, error.why)
                self._unproven(one, MAGIC_NUMBERS[self._minor][0], f"it could not be read ({error.why})")
                continue
            yield _Job(one, header.magic, optimize, source, data)

    def _candidates(self) -> list[str]:
        return self._pythons if self._minor in MAGIC_NUMBERS and self._deaths < _DEATHS else []

    def _unproven(self, cached: Cached, magic: int, why: str) -> None:
        self._proofs[cached.path] = Proof(cached.path, cached.source, magic, "unproven", why)

    # Helpers ----------------------------------------------------------------------------------------------------

    def _helper(self, path: str, ranges: bool = True) -> Helper | None:
        key = (path, ranges)
        if key not in self._helpers:
            try:
                helper = Helper(path, () if ranges else _NO_RANGES, self._bounds, path in self._own)
                self._helpers[key] = helper
                if not helper.copied:
                    self._started[f"{path} ({helper.version})"] = None
            except HelperError as error:
                self._files.miss(path, f"the trusted interpreter could not be used: {error}")
                self._helpers[key] = None
        return self._helpers[key]

    def _fitting(self, magic: int) -> Iterator[Helper]:
        for path in self._candidates():
            helper = self._helper(path)
            if helper is not None and helper.magic == magic:
                yield helper

    def _first_helper(self, job: _Job) -> Helper | None:
        for helper in self._fitting(job.magic):
            self._used[f"{helper.path} ({helper.version})"] = None
            return helper
        self._unproven(job.cached, job.magic, _NO_PYTHON)
        return None

    def _send(self, helper: Helper, job: _Job) -> bool:
        try:
            helper.send(job.source, job.optimize)
        except HelperError as error:
            self._died(helper, job, str(error))
            return False
        return True

    def _receive(self, helper: Helper, job: _Job) -> Compiled | None:
        try:
            return helper.receive()
        except HelperError as error:
            self._died(helper, job, str(error))
            return None

    def _died(self, helper: Helper, job: _Job, why: str) -> None:
        """A helper that is of no use any more: the next file gets another."""
        helper.close()
        self._helpers = {key: one for key, one in self._helpers.items() if one is not helper}
        self._deaths += 1
        self._failed(job, why)

    def _failed(self, job: _Job, why: str) -> None:
        reason = f"its source could not be compiled again: {why}"
        self._files.miss(job.cached.path, reason)
        self._unproven(job.cached, job.magic, "their sources could not be compiled again")

    # Conclusions ------------------------------------------------------------------------------------------------

    def _conclude(self, job: _Job, helper: Helper, compiled: Compiled) -> None:
        found = self._judged(job, helper, compiled)
        if found is None:
            return
        if found.result != "proven":
            found = self._by_another(job, helper, found)
        self._proofs[job.cached.path] = found

    def _judged(self, job: _Job, helper: Helper, compiled: Compiled) -> Proof | None:
        """What one interpreter's answer proves; ``None`` where it failed, which is noted."""
        cached = job.cached
        proof = Proof(cached.path, cached.source, job.magic, "proven")
        if compiled.failed is not None:
            self._failed(job, compiled.failed)
            return None
        if compiled.code is None:
            return self._mismatch(job, f"its source does not compile ({compiled.refused})")
        if job.data[HEADER_SIZE:] == compiled.code:
            return proof
        try:
            expected = read_code(compiled.code, self._minor)
        except MarshalError as error:
            self._failed(job, str(error))
            return None
        try:
            found = read_code(job.data, self._minor, HEADER_SIZE)
            unlike = self._difference(job, helper, expected, found)
        except OverBound as error:
            return self._mismatch(job, f"it is not what its source compiles to: {error.why}")
        except MarshalError as error:
            return self._mismatch(job, f"it is no code that the compiler wrote: {error}")
        if unlike is None:
            return proof
        if unlike.instructions_only and helper.version != self._version:
            return proof._replace(result="unproven", why=_OTHER_PATCH)
        return self._mismatch(job, f"at {unlike.path}, {unlike.what}", unlike.instructions_only)

    def _mismatch(self, job: _Job, why: str, instructions_only: bool = False) -> Proof:
        cached = job.cached
        digest = sha256(job.data).hexdigest()
        return Proof(cached.path, cached.source, job.magic, "mismatch", why, digest, instructions_only)

    def _difference(self, job: _Job, helper: Helper, expected: Code, found: Code) -> Difference | None:
        module = posixpath.basename(job.cached.source).removesuffix(".py")
        unlike = difference(expected, found, module)
        if unlike is None or self._minor < (3, 11) or not _without_columns(found):
            return unlike
        # Compiled where PYTHONNODEBUGRANGES was set: the same compiler leaves the columns out (3.11 and later).
        plain = self._helper(helper.path, ranges=False)
        again = self._receive(plain, job) if plain is not None and self._send(plain, job) else None
        if again is None or again.code is None:
            return unlike
        return difference(read_code(again.code, self._minor), found, module)

    def _by_another(self, job: _Job, helper: Helper, found: Proof) -> Proof:
        """The judgement of the other trusted interpreters of that magic: one proof is enough."""
        for other in list(self._fitting(job.magic)):
            if other.path == helper.path or not self._send(other, job):
                continue
            compiled = self._receive(other, job)
            judged = None if compiled is None else self._judged(job, other, compiled)
            if judged is None:
                continue
            self._used[f"{other.path} ({other.version})"] = None
            if judged.result == "proven":
                return judged
            if judged.result == "mismatch" and (found.result == "unproven" or other.version == self._version):
                found = judged
        return found


def _without_columns(code: Code) -> bool:
    """Whether a table of locations has lines only (Objects/locations.md: entries of kind 13 and 15)."""
    return all((byte >> 3) & 15 in (13, 15) for byte in code.linetable if byte & 0x80)
