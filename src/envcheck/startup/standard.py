"""The modules that an interpreter imports of its own accord: a name in, an entry out where a foreign file answers.

What the base's own standard library answers for makes no entry: a clean start stays one line.
"""

from __future__ import annotations

from envcheck.model.startup import EntryKind
from envcheck.startup.frames import Module
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ends, Fails, Ledger
from envcheck.startup.search import Found, PathEntry


class StandardImports:
    """Imports that no line of the environment asks for, in one simulated start."""

    def __init__(self, ledger: Ledger, importer: Importer) -> None:
        self._ledger = ledger
        self._importer = importer
        self._packages: dict[str, tuple[PathEntry, ...]] = {}
        self._imported: dict[str, bool] = {}

    def found(self, name: str) -> list[Found]:
        """What answers for a name, in its package where that was imported before; the last one is certain."""
        parent, _, tail = name.rpartition(".")
        if not parent:
            return self._importer.search.find(name)
        return self._importer.search.find_in(self._packages.get(parent, ()), name, tail)

    def take(self, kind: EntryKind, name: str, rule: str, known: bool = True, when: str | None = None) -> bool:
        """Import a module; whether anything answers. An entry where that is not the base's own standard library.

        ``known``: the standard library has a module of that name, so that its place alone proves no other. ``when``:
        the condition under which the interpreter imports it.
        """
        if name in self._imported:
            return self._imported[name]
        loaded = self._importer.modules.get(name)
        conditional = self._ledger.when is not None
        if loaded is not None and not loaded.standard and not self._importer.anew(loaded, conditional):
            return True
        found = self.found(name)
        if when is None:
            self._imported[name] = bool(found)
        for one in found:
            if one.search is not None:
                self._packages[name] = one.search
            if one.spec.kind == "namespace" or (known and self._importer.search.is_standard(name, one.spec.path)):
                continue
            self._run(kind, name, one, rule, [condition for condition in (when, one.entry.when) if condition])
        return bool(found)

    def _run(self, kind: EntryKind, name: str, found: Found, rule: str, conditions: list[str]) -> None:
        ledger = self._ledger
        depth = len(ledger.passing)
        ledger.passing += conditions
        self._enter(kind, name, found, rule)
        del ledger.passing[depth:]
        if name not in self._importer.modules:
            self._importer.modules[name] = Module(name, found.search)
        if not conditions and ledger.ended is None and not ledger.lasting:
            # Whether the start gets over a module that is not what it needs, no file tells.
            ledger.lasting[f"only if the start goes on with {found.spec.path} in place of its own {name}"] = None

    def _enter(self, kind: EntryKind, name: str, found: Found, rule: str) -> None:
        try:
            self._importer.enter(kind, name, found, rule)
        except (Fails, Ends):
            return
