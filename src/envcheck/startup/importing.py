"""The import system of a simulated start: a dotted name in, the files that it loads out, and their bodies run."""

from __future__ import annotations

from envcheck.model.startup import ClosureFile, EntryKind
from envcheck.startup.closure import Follower
from envcheck.startup.frames import Frame, Module
from envcheck.startup.ledger import Ends, Fails, Record
from envcheck.startup.loaders import Loaded
from envcheck.startup.modules import Spec
from envcheck.startup.names import LOADED_BEFORE_SITE, STANDARD, is_builtin
from envcheck.startup.redirection import MARKS
from envcheck.startup.search import Found, PathEntry, openness
from envcheck.startup.zips import is_compressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.source import ModuleFacts

MAX_MODULES = 4000
"""Module bodies followed in one start; what lies beyond is reported as not seen."""
CUSTOMIZE: dict[str, EntryKind] = {"sitecustomize": "sitecustomize", "usercustomize": "usercustomize"}


def _first(found: Found) -> str:
    """The condition under which one of several is what an import finds."""
    return f"depends on what comes first on sys.path: {found.spec.path}"


class Importer(Follower):
    """Finds, loads and runs modules."""

    def attempt(self, name: str) -> None:
        """Import a top-level name as ``site`` does at its end: an exception is printed, and the start goes on."""
        try:
            self.load(name, None)
        except (Fails, Ends):
            return

    def load(self, name: str, frame: Frame | None, maybe: bool = False) -> bool:
        """Import a dotted name; whether it was found. Raises `Fails` and `Ends` from the code that it runs."""
        parent: Module | None = None
        parts = name.split(".")
        for index in range(len(parts)):
            full = ".".join(parts[: index + 1])
            module = self.modules.get(full)
            if module is None and full in self.modules:
                return False
            # The parent's body may have failed, and then this is reached under that condition.
            maybe = maybe or self._ledger.when is not None
            if full in self._blocked:
                self._ledger.passing.append(self._blocked[full])
                maybe = True
            if module is None or self.anew(module, maybe):
                if parent is not None and parent.standard and not self.search.redirects(full):
                    module = self.modules[full] = Module(full, standard=True)
                else:
                    module = self._load_one(full, parts[index], parent, frame, maybe)
            if module is None:
                return False
            parent = module
        return True

    def anew(self, module: Module, maybe: bool) -> bool:
        """Whether a module that was imported need not be in ``sys.modules`` now, as that hung on other conditions."""
        if module.active:
            return False
        return (module.maybe and not maybe) or not module.conditions <= self._ledger.conditions

    def _load_one(self, full: str, tail: str, parent: Module | None, frame: Frame | None, maybe: bool) -> Module | None:
        redirected = bool(self.search.finders) and full not in LOADED_BEFORE_SITE and self.search.redirects(full)
        if not redirected and is_builtin(full, self._minor, self._rules.startup_frozen):
            module = self.modules[full] = Module(full, standard=True)
            return module
        if parent is None:
            found = self.search.find(full)
        elif parent.search is None and not redirected:
            return None
        else:
            found = self.search.find_in(parent.search or (), full, tail)
        if not found and parent is None and full in STANDARD:
            # Built into this interpreter, or removed from it; nothing that a file could tell.
            module = self.modules[full] = Module(full, standard=True)
            return module
        last: Module | None = None
        needed: list[list[str]] = []
        package = None if parent is None else parent.package_when
        for one in found:
            depth = len(self._ledger.passing)
            conditions = [w for w in (package, one.entry.when, self._unpacked_only_if(one.spec)) if w is not None]
            needed.append(conditions)
            self._ledger.passing += conditions
            if len(found) > 1 and one.entry.when is not None and one.entry.when == self.search.doubt:
                # What one of them goes on to load, the others need not.
                self._ledger.passing.append(_first(one))
            last = self._execute(full, one, frame, maybe or bool(conditions))
            if conditions:
                del self._ledger.passing[depth:]
        if last is not None and len(found) > 1:
            # Which of them it is, no file tells: what lies in any of those that are packages may be imported from it.
            places = [place._replace(when=self._chosen(one)) for one in found for place in one.search or ()]
            last.search = tuple(places) or None
            packages = [self._chosen(one) for one in found if one.search is not None]
            if len(packages) < len(found):
                # A module that is no package has no submodules, whatever a finder would answer for them.
                last.package_when = min(packages, key=openness, default=None)
        # Found only in places that need not be there, or need not be readable: else the import fails.
        self._ledger.passing += min(needed, key=lambda conditions: openness("; ".join(conditions) or None), default=[])
        return last

    def _chosen(self, one: Found) -> str:
        """The condition under which an import takes this one of several."""
        when = one.entry.when
        return _first(one) if when is None or when == self.search.doubt else when

    def _unpacked_only_if(self, spec: Spec) -> str | None:
        """zipimport imports ``zlib`` for a compressed member: from a file, unless the interpreter has it built in."""
        if spec.archive is None or not is_compressed(spec.archive, spec.member):
            return None
        if "zlib" in self.modules or self.search.find("zlib") or not self.search.shipped("zlib"):
            return None
        return f"only if zlib, which is not on sys.path, is built into the interpreter, to unpack {spec.path}"

    def _execute(self, full: str, found: Found, frame: Frame | None, maybe: bool) -> Module | None:
        spec, entry = found.spec, found.entry
        module = Module(full, found.search)
        module.maybe, module.conditions = maybe, self._ledger.conditions
        if spec.kind == "namespace":
            module.namespace = True
            self.modules[full] = module
            return module
        if self.search.is_standard(full, spec.path):
            module.standard = True
            self.modules[full] = module
            return module
        self._bodies += 1
        if self._bodies > MAX_MODULES:
            self._files.miss(spec.path, f"more than {MAX_MODULES:,} modules are imported: the rest was not followed")
            return module
        loaded = self._loaders.load(spec)
        own = self._customize(full, loaded, entry, frame)
        if frame is not None:
            self._collect(frame.record, loaded)
        if own is not None:
            self._run_customize(own, module, spec, loaded)
        elif frame is not None:
            self._run_module(module, spec, loaded, frame.record, frame)
        return module

    def _collect(self, record: Record, loaded: Loaded) -> None:
        bytecode = loaded.loads if loaded.loads != loaded.path else None
        known = record.closure.get(loaded.path)
        if known is None or openness(self._ledger.when) < openness(known.when):
            record.closure.pop(loaded.path, None)
            record.closure[loaded.path] = ClosureFile(
                loaded.path, loaded.sha256, loads=bytecode, order=self._ledger.order, when=self._ledger.when
            )
        if record.loads is None:
            record.loads = loaded.loads

    def _run_module(self, module: Module, spec: Spec, loaded: Loaded, record: Record, outer: Frame) -> None:
        """Run a module's body for an entry; a module that fails is not in ``sys.modules`` afterwards."""
        package = module.name if spec.search is not None else module.name.rpartition(".")[0]
        frame = Frame(record, loaded.path, package, outer.path or loaded.path, outer.line, module=module)
        depth = len(self._ledger.passing)
        self.modules[module.name] = module
        module.active = True
        try:
            self._run_body(module, spec, loaded, frame)
        except Fails:
            self.modules.pop(module.name, None)
            raise
        finally:
            module.active = False
        if len(self._ledger.passing) > depth:
            self.modules.pop(module.name, None)

    def _run_body(self, module: Module, spec: Spec, loaded: Loaded, frame: Frame) -> None:
        bytecode_only = loaded.path.endswith(".pyc")
        if loaded.broken:
            self._fail(f"{loaded.path}: {loaded.why}", frame)
            return
        if spec.kind == "extension" or bytecode_only or loaded.data is None:
            what = "bytecode" if bytecode_only else "a compiled extension" if spec.kind == "extension" else "unreadable"
            frame.record.unresolved[f"what {loaded.path} imports ({what})"] = None
            self._disturb(frame)
            return
        # The bytecode that runs instead may be anything; the source tells what it should import.
        doubtful = loaded.loads != loaded.path
        if doubtful:
            self._disturb(frame)
        module.facts, module.doubtful = self._facts_of(loaded), doubtful
        self._calls.keep(module, loaded.path, loaded.data)
        if "__getattr__" in module.facts.bound:
            # It runs wherever an attribute is missing (PEP 562), and may do anything.
            self._disturb(frame)
        if any(mark in loaded.data for mark in MARKS):
            module.source = loaded.path, loaded.data
        self._run(module.facts, frame, doubtful)
        if "__getattr__" in module.facts.bound:
            from envcheck.formats.actions import Action

            depth = len(self._ledger.passing)
            self._ledger.passing.append(f"only if an attribute that {module.name} lacks is asked for")
            self._run_called(Action("call", "<local>.__getattr__", guarded=True), frame, False)
            del self._ledger.passing[depth:]
        if module.source is not None:
            self.search.add_loader(loaded.path, loaded.data, False, self._ledger.when)

    def _facts_of(self, loaded: Loaded) -> ModuleFacts:
        known = self._facts.get(loaded.path)
        if known is not None:
            return known
        assert loaded.data is not None
        from envcheck.formats.source import ModuleFacts, decode, facts
        from envcheck.formats.syntax import Problem

        try:
            text = decode(loaded.data)
        except (UnicodeDecodeError, LookupError, ValueError) as error:
            found = ModuleFacts(problem=Problem(f"it cannot be decoded: {error}", refused=False))
        else:
            found = facts(text, self._minor, None, {**self._constants, "__file__": loaded.path}, self._decided)
        self._facts[loaded.path] = found
        return found

    def enter(self, kind: EntryKind, full: str, found: Found, rule: str) -> None:
        """Load a found module as an entry of its own. Raises `Fails` and `Ends` from the code that it runs."""
        loaded = self._loaders.load(found.spec)
        record = self._ledger.record(kind, loaded.path, None, None, rule)
        record.loads, record.sha256 = loaded.loads, loaded.sha256
        record.outside = self.search.outside(found.entry.path)
        self._run_customize(record, Module(full, found.search), found.spec, loaded)

    # sitecustomize and usercustomize ----------------------------------------------------------------------------

    def _customize(self, full: str, loaded: Loaded, entry: PathEntry, frame: Frame | None) -> Record | None:
        kind = CUSTOMIZE.get(full)
        if kind is None:
            return None
        record = self._ledger.record(kind, loaded.path, None, None, f"site.exec{kind}")
        record.loads = loaded.loads
        record.sha256 = loaded.sha256
        record.outside = self.search.outside(entry.path)
        return record

    def _run_customize(self, record: Record, module: Module, spec: Spec, loaded: Loaded) -> None:
        number = len(record.occurrences) + 1
        if loaded.broken:
            self._ledger.skip(record, number, f"{loaded.why}; candidates behind it are not tried")
            self._fail(f"{loaded.path}: {loaded.why}", Frame(record, loaded.path, path=loaded.path))
            return
        if not self._ledger.reach(record, number):
            self.modules[module.name] = module
            return
        index = len(record.occurrences) - 1
        frame = Frame(record, loaded.path, path=loaded.path, own=True)
        try:
            self._run_module(module, spec, loaded, record, frame)
        except Fails:
            self._ledger.conclude(record, "fails", index)
            raise
