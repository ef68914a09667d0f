"""The last step of ``site``: ``import sitecustomize``, then ``import usercustomize`` where the user site is enabled.

What runs, and the candidates that it hides or that are not looked for.
"""

from __future__ import annotations

from envcheck.model.startup import EntryKind
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ledger
from envcheck.startup.loaders import Loaders
from envcheck.startup.modules import Finders, Spec
from envcheck.startup.search import PathEntry


class Customize:
    """``site.execsitecustomize`` and ``site.execusercustomize`` of one simulated start."""

    def __init__(self, finders: Finders, loaders: Loaders, ledger: Ledger, importer: Importer) -> None:
        self._finders = finders
        self._loaders = loaders
        self._ledger = ledger
        self._importer = importer

    def run(self, kind: EntryKind, disabled: str | None = None) -> None:
        """Import the module, unless ``disabled`` says why it is not attempted, and list what does not run."""
        modules = self._importer.modules
        if kind in modules and modules[kind] is None:
            disabled = disabled or f"sys.modules[{kind!r}] is None"
        if disabled is None:
            depth = len(self._ledger.passing)
            self._importer.attempt(kind)
            del self._ledger.passing[depth:]
        met = [record for record in self._ledger.records.values() if record.kind == kind and record.occurrences]
        winner = met[0].path if met else None
        known = {record.path for record in met}
        for entry in self._importer.search.path:
            if self._finders.symbolic(entry.path):
                continue
            for spec in self._finders.candidates(entry.path, kind):
                if spec.kind != "namespace" and spec.path not in known:
                    known.add(spec.path)
                    self._dormant(kind, spec, entry, disabled, winner)

    def _dormant(self, kind: EntryKind, spec: Spec, entry: PathEntry, disabled: str | None, winner: str | None) -> None:
        record = self._ledger.record(kind, spec.path, None, None, f"site.exec{kind}")
        loaded = self._loaders.load(spec)
        record.loads, record.sha256 = loaded.loads, loaded.sha256
        record.outside = self._importer.search.outside(entry.path)
        record.reason = disabled
        if disabled is None and winner is not None:
            record.reason, record.shadowed_by = f"{winner} is found before it", winner
