"""``-W`` options and PYTHONWARNINGS: the modules of warning categories, imported before ``site``.

``warnings._processoptions`` runs when the interpreter imports ``warnings``, which it does where there is any option.
Site directories have not joined ``sys.path``: PYTHONPATH, the zip and the standard library answer.
"""

from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.startup.codecs import SITE
from envcheck.startup.frames import Frame
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ends, Fails, Ledger
from envcheck.startup.names import LOADED_BEFORE_SITE, is_builtin
from envcheck.startup.rules import Rules
from envcheck.startup.standard import StandardImports

_RULE = "Lib/warnings.py (_processoptions)"
_ACTIONS = ("default", "always", "ignore", "module", "once", "error", "all")
_PY_WARNINGS_SINCE = (3, 14)
_WITH_SITE = frozenset(row.name for row in SITE)
"""Modules that ``site`` imports later, where no option asks for them first."""


class Category(NamedTuple):
    """The category of one option that is a class of a module."""

    module: str
    name: str


def category(option: str) -> Category | None:
    """``warnings._setoption``: the category of ``action:message:category:module:lineno``, where it names a module."""
    parts = [part.strip() for part in option.split(":")]
    if len(parts) > 5:
        return None
    action, _, named, *_ = parts + [""] * (5 - len(parts))
    if action and not any(known.startswith(action) for known in _ACTIONS):
        return None
    module, dot, name = named.rpartition(".")
    return Category(module, name) if dot else None


def needs_re(option: str) -> bool:
    """Whether the option has a message or a module, which are made into regular expressions."""
    parts = [part.strip() for part in option.split(":")]
    return 1 < len(parts) <= 5 and bool(parts[1] or parts[3:4] > [""])


class Categories:
    """The import of ``warnings`` in one simulated start."""

    def __init__(self, rules: Rules, ledger: Ledger, importer: Importer, imports: StandardImports) -> None:
        self._rules = rules
        self._ledger = ledger
        self._importer = importer
        self._imports = imports

    def run(self, invocation: Invocation) -> None:
        """Import what the options need; nothing without any."""
        options = invocation.warning_options
        if not options:
            return
        self._imports.take("startup-module", "warnings", _RULE)
        if self._rules.minor >= _PY_WARNINGS_SINCE:
            self._imports.take("startup-module", "_py_warnings", _RULE)
        for option in options:
            found = category(option)
            if (found is None or self._import(found)) and needs_re(option):
                self._imports.take("startup-module", "re", _RULE)

    def _import(self, found: Category) -> bool:
        """``__import__(module, fromlist=[class])``: an entry at the file of the top-level module; whether it is there.

        An option whose category is not found is refused, with a message.
        """
        top = found.module.partition(".")[0]
        if top in LOADED_BEFORE_SITE or is_builtin(top, self._rules.minor, self._rules.startup_frozen):
            if top in _WITH_SITE and not self._rules.startup_frozen:
                self._imports.take("startup-module", top, _RULE)
            return True
        places = self._imports.found(top) if top else []
        for spec, entry, _ in places:
            if spec.kind != "namespace" and self._importer.search.is_standard(top, spec.path):
                continue
            record = self._ledger.record("warnings-category", spec.path, None, None, _RULE)
            depth = len(self._ledger.passing)
            if entry.when is not None:
                self._ledger.passing.append(entry.when)
            if not record.occurrences and self._ledger.reach(record, 1):
                record.outside = self._importer.search.outside(entry.path)
                self._follow(found, Frame(record, spec.path, path=spec.path))
            own = record.closure.pop(spec.path, None)
            if own is not None:
                record.sha256, record.loads = own.sha256, own.loads or spec.path
            del self._ledger.passing[depth:]
        return bool(places)

    def _follow(self, found: Category, frame: Frame) -> None:
        """An exception is printed, and the start goes on."""
        try:
            if self._importer.load(found.module, frame):
                module = self._importer.modules.get(found.module)
                bound = frozenset() if module is None or module.facts is None else module.facts.bound
                if module is not None and module.search is not None and found.name not in bound:
                    self._importer.load(f"{found.module}.{found.name}", frame, maybe=True)
        except (Fails, Ends):
            return
