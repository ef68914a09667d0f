"""A call in followed code in, the bodies that it runs out: functions of modules that were imported before.

Only what a module's own text defines is followed, under the condition of the call. Following adds to what may be
loaded; it never takes anything away, and where which body runs is not plain, the condition says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envcheck.model.nouns import NamedTuple, TypeAlias
from envcheck.startup.frames import Frame, Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.actions import Action
    from envcheck.formats.functions import Budget
    from envcheck.formats.source import ModuleFacts

MAX_CALLS = 2000
"""Calls that are followed in one start."""
MAX_IMPLIED = 1000
"""The same for calls out of methods that Python runs where no call is written: they must not use up those of others."""
MAX_DEPTH = 20
"""Calls within calls."""
MAX_READ = 4 << 20
"""Characters of functions that are read in one start."""
MAX_KEPT = 32 << 20
"""Bytes of sources that are kept for their functions."""
_MAX_HOPS = 10
_MAX_TIMES = 3
"""Conditions of its own under which one body is followed."""
_OWN = "<local>."


Key: TypeAlias = "tuple[str, str, tuple[str | None, ...]]"
"""The module's file, the name in it, and what it is given."""


class Body(NamedTuple):
    """A function's body that a call runs."""

    facts: ModuleFacts
    frame: Frame
    conditions: tuple[str, ...]
    doubtful: bool
    key: Key
    implied: bool = False
    """No call of it is written."""


class Calls:
    """The calls of one simulated start."""

    def __init__(
        self, version: tuple[int, int], constants: Mapping[str, str], modules: Mapping[str, Module | None]
    ) -> None:
        self._version = version
        self._constants = constants
        self._modules = modules
        self._budgets: dict[bool, Budget] = {}
        """For calls that are written, and for those that are not."""
        self._kept = 0
        self._count = 0
        self._counted = 0
        self.implied = 0
        """Bodies that are being followed though no call of them is written, one within another."""
        self._done: dict[bool, dict[Key, list[frozenset[str]]]] = {False: {}, True: {}}
        """Under which conditions a body was followed: from a call that is written, or from no such call."""
        self._moving: set[Key] = set()
        """Bodies that do something each time: they, or what they call, change ``sys.path``, or may fail."""
        self.moved = 0
        """How many runs of such bodies were followed."""
        self.depth = 0

    def keep(self, module: Module, path: str, data: bytes) -> None:
        """Note what a module's body was read from."""
        module.path = path
        self._kept += len(data)
        if self._kept <= MAX_KEPT:
            module.data = data

    def repeat(self, body: Body) -> None:
        """A body matters each time that it runs."""
        self._moving.add(body.key)

    def bodies(self, action: Action, frame: Frame, given: frozenset[str]) -> Iterator[Body]:
        """What a call runs, reached under the conditions ``given``; a callable that is handed over may be called."""
        condition = (f"only if a condition of {frame.where} holds",) if action.maybe else ()
        if not action.text.endswith(" ="):
            yield from self._named(action.text, action.arguments, frame, condition, given)
        for name in action.passed:
            yield from self._named(name, (), frame, (*condition, f"only if {_shown(name)} is called"), given)

    def _named(
        self, dotted: str, arguments: tuple[str | None, ...], frame: Frame, conditions: tuple[str, ...],
        given: frozenset[str],
    ) -> Iterator[Body]:  # fmt: skip
        found = self._found(dotted, frame)
        if found is None:
            return
        module, name, method = found
        key = (module.path, f"{name}.{method}", arguments)
        implied = self.implied > 0
        before = self._done[implied].setdefault(key, [])
        now = given.union(conditions)
        known = [*before, *self._done[False].get(key, ())] if implied else before
        if (implied or key not in self._moving) and (any(then <= now for then in known) or len(before) > _MAX_TIMES):
            return
        before.append(now)
        self._count += not implied
        self._counted += implied
        over = self._counted > MAX_IMPLIED if implied else self._count > MAX_CALLS
        if over or self.depth >= MAX_DEPTH:
            frame.record.unresolved[f"calls of {module.path}: too many, or too deep, to follow"] = None
            return
        if module.functions is None:
            from envcheck.formats.functions import Budget, Functions

            self._budgets = self._budgets or {False: Budget(MAX_READ), True: Budget(MAX_READ >> 2)}
            assert module.data is not None
            assert module.facts is not None
            constants = {**self._constants, "__file__": module.path}
            module.functions = Functions(module.data, module.facts, self._version, constants, self._budgets[implied])
        module.functions.budget = self._budgets[implied]
        if module.altered:
            frame.record.unresolved[f"what {_shown(dotted)} calls, as other code assigned to {module.name}"] = None
        package = module.name if module.search is not None else module.name.rpartition(".")[0]
        inner = Frame(frame.record, module.path, package, frame.path, frame.line, module=module)
        for called in module.functions.called(name, method, arguments, module.altered):
            if any(action.kind in ("path", "unpath", "addsitedir") for action in called.facts.actions):
                self._moving.add(key)
            unsure: tuple[str, ...] = (
                () if called.sure else (f"only if {_shown(dotted)} is what {module.path} defines",)
            )
            if called.implicit:
                unsure = (f"only if {called.implicit} of what {_shown(dotted)} makes is run",)
            self.moved += key in self._moving
            yield Body(called.facts, inner, (*conditions, *unsure), module.doubtful, key, called.implicit != "")
            # What ran meanwhile may have put another one there.
            module.functions.budget = self._budgets[implied]
        if self._budgets[implied].left < 0:
            frame.record.unresolved[f"calls of {module.path}: too much to read"] = None

    def _found(self, dotted: str, frame: Frame) -> tuple[Module, str, str] | None:
        """The module that defines what a dotted name stands for, the name there, and the method that is called."""
        module: Module | None = frame.module
        for _ in range(_MAX_HOPS):
            if dotted.startswith(_OWN):
                rest = dotted[len(_OWN) :]
            else:
                module, rest = self._module_of(dotted, module)
            if module is None or module.data is None or module.facts is None or not rest:
                return None
            head, _, tail = rest.partition(".")
            name = head.removesuffix("()")
            origin = module.facts.names.get(name, "")
            if origin in ("", f"{_OWN}{name}"):
                if tail.count(".") or (tail.endswith("()") and tail):
                    return None
                if head.endswith("()") and not tail:
                    tail = "__call__"
                return (module, name, tail) if origin or name in module.facts.possible else None
            dotted = origin + head[len(name) :] + (f".{tail}" if tail else "")
        return None

    def _module_of(self, dotted: str, inside: Module | None) -> tuple[Module | None, str]:
        """The imported module that a dotted name begins with, and the rest of the name."""
        if dotted.startswith("."):
            if inside is None:
                return None, ""
            name = dotted.lstrip(".")
            level = len(dotted) - len(name)
            package = inside.name if inside.search is not None else inside.name.rpartition(".")[0]
            parts = package.split(".")
            dotted = ".".join([*parts[: len(parts) - level + 1], name])
        head, rest = dotted, ""
        while head:
            module = self._modules.get(head)
            if module is not None:
                return (None, "") if module.standard else (module, rest)
            head, _, last = head.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
        return None, ""


def _shown(dotted: str) -> str:
    return dotted.removeprefix(_OWN) + "()"
