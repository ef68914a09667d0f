"""Bytecode that runs in place of a source into proofs, when there is any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from envcheck.files.root import Files
from envcheck.installed.inventory import Installed
from envcheck.model.bytecode import BytecodeCoverage, Proof, TrustedPython
from envcheck.model.environment import Environment
from envcheck.model.inventory import Inventory
from envcheck.model.report import Options
from envcheck.model.startup import StartupPlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.installed.proofs import Cached, Prover


class Bytecode:
    """Proofs of what runs in place of sources; no module of theirs is loaded, and nothing started, before one does."""

    def __init__(
        self, files: Files, environment: Environment, options: Options, trusted: Callable[[], Sequence[TrustedPython]]
    ) -> None:
        self._files = files
        self._environment = environment
        self._options = options
        self._trusted = trusted
        self._prover: Prover | None = None

    def prove_startup(self, plan: StartupPlan, meanwhile: Callable[[], None]) -> StartupPlan:
        """The plan with a proof for all bytecode in it; ``meanwhile`` is done while another process compiles."""
        pairs = [(file.path, file.loads) for entry in plan.entries for file in entry.closure]
        pairs += [(entry.path, entry.loads) for entry in plan.entries if entry.line is None]
        wanted = [(path, loads) for path, loads in pairs if loads is not None and loads != path]
        if not wanted:
            return plan
        from envcheck.installed.proofs import Cached

        proofs = self._prove((Cached(path, loads) for path, loads in wanted), meanwhile)
        entries = []
        for entry in plan.entries:
            closure = tuple(file._replace(proof=proofs.get(file.loads or "")) for file in entry.closure)
            proof = proofs.get(entry.loads or "") if entry.line is None else None
            entries.append(entry._replace(closure=closure, proof=proof))
        return plan._replace(entries=tuple(entries))

    def prove_everything(self, installed: Installed, inventory: Inventory) -> Inventory:
        """The inventory with a deviation for each file of bytecode that does not come from its source."""
        from envcheck.installed.deep import Search
        from envcheck.model.inventory import Deviation

        proofs = self._prove(Search(self._files, self._environment, self._options.invocation).cached())
        found = []
        for proof in proofs.values():
            if proof.result == "mismatch":
                owner = installed.claim(proof.source).owner
                found.append(Deviation("bytecode-mismatch", proof.path, owner, None, proof.sha256, proof.why))
        return inventory._replace(deviations=(*inventory.deviations, *found))

    def coverage(self) -> tuple[BytecodeCoverage, ...]:
        """What was proven, by magic number."""
        everywhere = self._options.deep and not self._options.startup_only
        return () if self._prover is None else self._prover.coverage("everywhere" if everywhere else "startup")

    def _prove(self, cached: Iterable[Cached], meanwhile: Callable[[], None] | None = None) -> dict[str, Proof]:
        from envcheck.installed.proofs import Prover

        if self._prover is None:
            progress = self._options.progress
            self._prover = Prover(self._files, self._environment, self._trusted(), progress=progress)
        try:
            return self._prover.prove(cached, meanwhile)
        finally:
            self._prover.close()
