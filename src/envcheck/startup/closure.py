"""What code does when it runs at startup, followed action by action, and how its failing bears on what follows.

Module-level code is followed, and the functions that it calls; imports are resolved with ``sys.path`` as it stands at
that moment.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Callable, Mapping

from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.nouns import Literal
from envcheck.startup import eggs
from envcheck.startup.calls import Calls
from envcheck.startup.eggs import Eggs
from envcheck.startup.frames import Frame, Module
from envcheck.startup.ledger import Ends, Fails, Ledger
from envcheck.startup.loaders import Loaders
from envcheck.startup.rules import Rules
from envcheck.startup.search import PathEntry, Search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.actions import Action
    from envcheck.formats.source import ModuleFacts
    from envcheck.formats.syntax import Problem

_DECIDING = frozenset({"sys.version_info =", "sys.hexversion =", "typing.TYPE_CHECKING ="})
"""Assignments after which a test of the version may turn out otherwise."""
_HOOKED = ".__path_hook__"
_ENDING = frozenset({"SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"})


class Follower:
    """The code of one simulated start, followed action by action."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        rules: Rules,
        search: Search,
        loaders: Loaders,
        ledger: Ledger,
    ) -> None:
        self._files = files
        self._rules = rules
        self._minor = environment.python.minor
        self._loaders = loaders
        self._ledger = ledger
        self._constants = {
            "sys.prefix": environment.path,
            "sys.exec_prefix": environment.path,
            "sys.base_prefix": environment.python.base_prefix,
        }
        self._facts: dict[str, ModuleFacts] = {}
        self._lines: dict[tuple[str, int | None, str, bool], ModuleFacts] = {}
        self._decided = True
        """Nothing changed what ``sys.version_info`` and ``typing.TYPE_CHECKING`` say."""
        self._bodies = 0
        """Modules that were imported before any startup file, by CPython itself."""
        self._blocked: dict[str, str] = {}
        """Modules that code which need not have run takes away, each with the condition of a later import."""
        self.search = search
        self._eggs = Eggs(search)
        self.modules: dict[str, Module | None] = {}
        self._calls = Calls(self._minor, self._constants, self.modules)
        self.nameable: Callable[[str], bool] = lambda path: True
        """Whether the file system's encoding has all characters of a path."""
        self.add_site_directory: Callable[[str, Frame], None] = lambda directory, frame: None

    # Running code -----------------------------------------------------------------------------------------------

    def run_line(
        self, text: str, frame: Frame, constants: Mapping[str, str], before: ModuleFacts | None = None
    ) -> ModuleFacts:
        """Follow one import line, behind the line ``before`` it in the same namespace; what it binds.

        Raises `Fails` or `Ends` where that is certain.
        """
        key = (frame.path, frame.line, text, self._decided)
        found = self._lines.get(key)
        if found is None:
            # The syntax tree's types take a while to load: only where there is code to read.
            from envcheck.formats.source import facts

            names = {name: name for name in ("os", "sys", "builtins")} | {"addsitedir": "site.addsitedir"}
            texts = {**self._constants, **constants}
            if before is not None:
                names, texts = {**names, **before.names}, {**texts, **before.texts}
            found = facts(text, self._minor, names, texts, self._decided)
            if before is not None:
                found = found._replace(possible=found.possible | before.possible)
            self._lines[key] = found
        egg = eggs.kind_of(text)
        if egg is None or not self._run_egg(egg, frame, before):
            self._run(found, frame)
        return found

    def _run_egg(self, kind: Literal["first", "last"], frame: Frame, before: ModuleFacts | None) -> bool:
        """Follow a line of ``easy-install.pth`` where that is certain; whether it is."""
        if self._ledger.when is not None or (before is not None and eggs.BUILTINS & before.possible):
            return False
        if kind == "last" and not self._eggs.begun and self._ledger.certain:
            raise Fails("sys has no '__plen'")
        if not self._eggs.known(kind):
            return False
        self._eggs.apply(kind)
        return True

    def _run(self, found: ModuleFacts, frame: Frame, doubtful: bool = False) -> None:
        """Follow what code does; ``doubtful``: other bytes than these may run, so that none of it ends anything."""
        for action in found.actions:
            if self._ledger.ended is not None:
                return
            self._act(action._replace(guarded=True) if doubtful else action, frame)
        if found.problem is not None and not doubtful:
            self._not_understood(found.problem, frame)

    def _not_understood(self, problem: Problem, frame: Frame) -> None:
        if problem.refused and sys.version_info[:2] == self._minor:
            self._loaded_only_if(f"only if {frame.where} can be compiled ({problem.why})", frame)
            raise Fails(problem.why)
        if problem.refused:
            # Another version's grammar is not ours: it may read what ours refuses, and then the code runs.
            version = "{}.{}".format(*self._minor)
            self._ledger.passing.append(f"only if Python {version} reads {frame.where} ({problem.why} here)")
            if frame.own:
                self._ledger.condition(frame.record)
            self._loaded_only_if(self._ledger.when, frame)
        else:
            self._files.miss(frame.path, f"code that was not understood: {problem.why}")
        frame.record.unresolved[f"{frame.where}: not understood ({problem.why})"] = None
        self._disturb(frame)

    @staticmethod
    def _loaded_only_if(when: str | None, frame: Frame) -> None:
        """Nothing of a module runs that cannot be compiled."""
        loaded = frame.record.closure.get(frame.where)
        if loaded is not None and loaded.when is None:
            frame.record.closure[frame.where] = loaded._replace(when=when)

    def _act(self, action: Action, frame: Frame) -> None:
        sure = not action.maybe and not action.guarded
        if action.kind == "import":
            self._import(action, frame, sure)
        elif action.kind == "addsitedir":
            self._site_directory(action, frame)
        elif action.kind == "path":
            self._extend(action, frame)
        elif action.kind == "unpath":
            self._shorten(action, frame, sure)
        elif action.kind == "package-path":
            self._extend_package(action, frame)
        elif action.kind in ("block", "bind", "forget"):
            self._set_module(action, sure)
        elif action.kind == "raise":
            if sure and action.text in _ENDING:
                self._end(f"{action.text} is raised at {frame.where}", frame)
            elif sure:
                self._fail(f"{action.text or 'an exception'} is raised", frame)
        elif action.kind == "exit":
            if sure:
                self._end(f"{action.text} is called at {frame.where}", frame)
        elif action.kind == "dynamic":
            frame.record.unresolved[action.text] = None
        else:
            self._call(action, frame)
            self._run_called(action, frame, sure)

    def _run_called(self, action: Action, frame: Frame, sure: bool) -> None:
        """Run the bodies of what is called; what only may be called fails for nobody."""
        for body in self._calls.bodies(action, frame, self._ledger.conditions):
            depth, moved = len(self._ledger.passing), self._calls.moved
            self._ledger.passing += body.conditions
            self._calls.depth += 1
            self._calls.implied += body.implied
            try:
                self._run(body.facts, body.frame, body.doubtful)
            except Fails:
                self._calls.repeat(body)
                if sure and not body.conditions:
                    raise
            finally:
                self._calls.depth -= 1
                self._calls.implied -= body.implied
            if len(self._ledger.passing) > depth + len(body.conditions) or self._calls.moved > moved:
                self._calls.repeat(body)
            if not sure or body.conditions:
                del self._ledger.passing[depth:]

    def _disturb(self, frame: Frame) -> None:
        if self._ledger.disturbed is None:
            self._ledger.disturbed = frame.where
            for name in [name for name, module in self.modules.items() if module is None]:
                self._block(name)

    def _set_module(self, action: Action, sure: bool) -> None:
        """``sys.modules`` is changed by hand."""
        name = action.text
        if action.kind == "forget":
            if sure and self._ledger.when is None:
                self.modules.pop(name, None)
                self._blocked.pop(name, None)
            elif self.modules.get(name, self) is None:
                self._block(name)
        elif action.kind == "block" and sure and self._ledger.certain:
            self.modules[name] = None
        elif sure and self._ledger.when is None:
            self._block(name)

    def _block(self, name: str) -> None:
        """An import of it finds something in ``sys.modules``, unless that is undone."""
        if self.modules.get(name, self) is None:
            del self.modules[name]
        self._blocked.setdefault(name, f"only if what sys.modules[{name!r}] was set to is undone")

    def _fail(self, why: str, frame: Frame) -> None:
        """The code fails here: for certain, or else what follows it carries the condition."""
        if self._ledger.certain:
            raise Fails(why)
        self._may_fail(why, frame)

    def _may_fail(self, why: str, frame: Frame) -> None:
        self._ledger.passing.append(f"only if {frame.where} does not fail ({why})")

    def _end(self, why: str, frame: Frame) -> None:
        self._ledger.abort(frame.path, frame.line, why, f"only if the start does not end: {why}")
        if self._ledger.ended is not None:
            raise Ends(why)

    def load(self, name: str, frame: Frame | None, maybe: bool = False) -> bool:
        """Import a dotted name; whether it was found. Raises `Fails` and `Ends` from the code that it runs."""
        raise NotImplementedError

    # What the code asks for -------------------------------------------------------------------------------------

    def _import(self, action: Action, frame: Frame, sure: bool) -> None:
        name = self._absolute(action, frame)
        if name is None:
            return
        depth = len(self._ledger.passing)
        if action.maybe:
            self._ledger.passing.append(f"only if a condition of {frame.where} holds")
        try:
            found = self.load(name, frame, maybe=action.maybe)
            if found and action.names:
                self._import_from(name, action, frame, sure)
        except Fails:
            if sure:
                raise
            found = True
        if not sure:
            # The exception is caught there, or the condition did not hold.
            del self._ledger.passing[depth:]
        elif not found:
            frame.record.unresolved[name] = None
            barred = self.search.barred
            if barred is not None and self._minor >= (3, 15):
                # What prints the exception imports pathlib, which looks for _winapi: along the same places.
                why = f"{barred} on sys.path, which the file system's encoding cannot name, makes imports fail"
                self._ledger.abort(frame.path, frame.line, why, f"only if {barred} can be encoded", certain=False)
            if self.search.knows_everything(name):
                self._fail(f"no module named {name!r}", frame)
            else:
                self._may_fail(f"no module named {name!r} is found", frame)

    def _absolute(self, action: Action, frame: Frame) -> str | None:
        if not action.level:
            return action.text or None
        parts = frame.package.split(".") if frame.package else []
        if action.level - 1 >= len(parts):
            return None
        base = parts[: len(parts) - action.level + 1]
        return ".".join([*base, action.text] if action.text else base)

    def _import_from(self, name: str, action: Action, frame: Frame, sure: bool) -> None:
        """``from name import a, b``: what the module does not bind is looked for as a submodule."""
        module = self.modules.get(name)
        if module is None or module.standard:
            return
        wanted: tuple[str, ...] = action.names
        if "*" in wanted:
            wanted = () if module.facts is None else module.facts.exports
        # A namespace package binds nothing; one whose body is running has not bound everything yet.
        bound = frozenset() if module.facts is None or module.active else module.facts.bound
        # Of bytecode or a compiled extension no text tells what it binds.
        unsure = module.doubtful or (module.facts is None and not module.namespace)
        for part in wanted:
            if (part in bound and not module.doubtful) or not part.isidentifier():
                continue
            depth = len(self._ledger.passing)
            if unsure:
                self._ledger.passing.append(f"only if {name} has no {part!r} of its own")
            found = module.search is not None and self.load(f"{name}.{part}", frame, maybe=action.maybe)
            if unsure:
                del self._ledger.passing[depth:]
            if sure and not found and self._lacks(module, part):
                why = f"{name} has no {part!r}"
                frame.record.unresolved[f"{name}.{part}"] = None
                if module.search is None or self.search.knows_all_of(name, module.search):
                    self._fail(why, frame)
                else:
                    self._may_fail(why, frame)
            elif sure and not found and self._circular(module, part):
                self._may_fail(f"{name} may have no {part!r} yet", frame)

    @staticmethod
    def _lacks(module: Module, part: str) -> bool:
        """Whether no text that a module's body was read from binds a name."""
        if part.startswith("__") or module.doubtful:
            return False
        if module.facts is None:
            # A namespace package; of a compiled extension, or bytecode, no text tells.
            return module.namespace
        known = module.facts
        stars = any("*" in action.names for action in known.actions)
        return known.problem is None and not stars and not {part, "__getattr__", "__path__"} & known.possible

    def _circular(self, module: Module, part: str) -> bool:
        """Whether a module that is running takes the name from one that is running, too: itself, or its importer."""
        if not module.active or module.doubtful or module.facts is None:
            return False
        origin, _, name = module.facts.names.get(part, "").rpartition(".")
        source = self.modules.get(origin)
        return name == part and source is not None and source.active

    def _site_directory(self, action: Action, frame: Frame) -> None:
        ledger = self._ledger
        if not action.text.startswith("/"):
            frame.record.unresolved[f"site.addsitedir of a relative directory ({action.text})"] = None
            self._disturb(frame)
            return
        self._named(action, frame)
        depth = len(ledger.passing)
        if action.maybe:
            ledger.passing.append(f"only if a condition of {frame.where} holds")
        try:
            self.add_site_directory(posixpath.normpath(action.text), frame)
        except Fails:
            if not (action.maybe or action.guarded):
                raise
        if action.maybe or action.guarded:
            del ledger.passing[depth:]

    def _extend(self, action: Action, frame: Frame) -> None:
        module = frame.module
        if (
            action.text.endswith(_HOOKED)
            and module is not None
            and module.facts
            and "NAMESPACES" in module.facts.literals
        ):
            # No directory: setuptools' finder puts it there for its own hook to answer.
            return
        when = self._ledger.when
        if action.maybe:
            when = f"only if a condition of {frame.where} holds"
        if action.position is not None:
            self._named(action, frame)
        elif not action.maybe and not self.nameable(action.text):
            self.search.unnameable.add(action.text)
        entry = PathEntry(action.text, when, frame.path)
        if self.search.symbolic(action.text):
            frame.record.unresolved[f"a directory of the running process on sys.path ({action.text})"] = None
        if action.position is None:
            self.search.path.append(entry)
        else:
            self.search.insert(action.position, entry)

    def _named(self, action: Action, frame: Frame) -> None:
        """A path on ``sys.path`` that cannot be encoded makes the imports after it fail, with no ImportError."""
        if not action.maybe and not self.nameable(action.text):
            why = f"{action.text} on sys.path, which the file system's encoding cannot name, makes imports fail"
            self._ledger.abort(frame.path, frame.line, why, f"only if {action.text} can be encoded", certain=False)

    def _shorten(self, action: Action, frame: Frame, sure: bool) -> None:
        """``sys.path`` loses an item; where it is not plain which, every place on it may come first."""
        path = self.search.path
        exact = sure and self._ledger.when is None and self.search.doubt is None and action.text != "*"
        if exact and not any(entry.when for entry in path):
            position = action.position
            if position is None:
                position = next((index for index, entry in enumerate(path) if entry.path == action.text), None)
            if position is None or not -len(path) <= position < len(path):
                self._fail(f"sys.path has no such item ({action.text or position})", frame)
            else:
                del path[position]
            return
        self._disturb(frame)
        self.search.doubt = self.search.doubt or f"depends on what {frame.where} does to sys.path"

    def _extend_package(self, action: Action, frame: Frame) -> None:
        """The package that is running extends its own ``__path__``."""
        module = self.modules.get(frame.package)
        if module is None or module.search is None or not module.active:
            return
        when = f"only if a condition of {frame.where} holds" if action.maybe else None
        if action.text == "extend_path":
            parent = self.modules.get(module.name.rpartition(".")[0])
            places = None if parent is None else parent.search
            added = self.search.extended(module.name, module.search, places)
        else:
            added = tuple(PathEntry(text) for text in action.names)
        known = {entry.path for entry in module.search if entry.when is None}
        module.search += tuple(entry._replace(when=entry.when or when) for entry in added if entry.path not in known)

    def _call(self, action: Action, frame: Frame) -> None:
        self._disturb(frame)
        if action.text in _DECIDING or (action.text == "setattr" and set(action.names) & {"version_info"}):
            self._decided = False
            self._facts.clear()
        if action.text in eggs.ASSIGNED:
            self._eggs.spoil()
        target, _, method = action.text.rpartition(".")
        module = self.modules.get(target)
        if module is not None and action.text.endswith("="):
            module.altered = True
        when = self._ledger.when
        if action.maybe:
            when = f"only if a condition of {frame.where} holds"
        if method == "map_module" and len(action.names) == 2:
            # editables.redirector.RedirectingFinder.map_module(name, file)
            self.search.redirect(action.names[0], action.names[1], when)
        elif module is not None and module.source is not None:
            path, source = module.source
            self.search.add_loader(path, source, True, when)
        elif method == "install" and module is not None and module.facts is not None:
            self.search.install(module.facts.literals, when)
