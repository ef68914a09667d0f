"""What runs only in some starts, after ``site``: for ``-c``, PYTHONSTARTUP's file, and the modules of the prompt.

``Modules/main.c``: the file first, then ``sys.__interactivehook__`` (``site`` sets it, not under ``-I`` or ``-S``),
then from 3.13 on the prompt itself, which is written in Python.
"""

from __future__ import annotations

import posixpath

from envcheck.files.root import Files, Unreadable
from envcheck.model.invocation import Invocation
from envcheck.model.sha256 import sha256
from envcheck.startup.frames import Frame
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ends, Fails, Ledger, Record
from envcheck.startup.modules import Finders
from envcheck.startup.rules import Rules
from envcheck.startup.standard import StandardImports

WHEN = "only when Python starts interactively"
WITH_COMMAND = "only when Python starts with -c"
_COMMAND_SINCE, _COMMAND_FROZEN = (3, 13), (3, 15)
"""``-c`` imports ``linecache`` since the one version; since the other it is frozen."""
_PYREPL_SINCE = (3, 13)
_MAIN, _HOOK = "Modules/main.c (pymain_run_startup)", "Lib/site.py (enablerlcompleter)"


class Interactive:
    """The part of one simulated start that only an interactive one has."""

    def __init__(
        self,
        files: Files,
        finders: Finders,
        rules: Rules,
        invocation: Invocation,
        ledger: Ledger,
        importer: Importer,
        imports: StandardImports,
    ) -> None:
        self._files = files
        self._finders = finders
        self._rules = rules
        self._invocation = invocation
        self._ledger = ledger
        self._importer = importer
        self._imports = imports

    def run(self) -> None:
        """Its entries, each with the condition."""
        minor = self._rules.minor
        frozen = minor >= _COMMAND_FROZEN and self._rules.startup_frozen
        if minor >= _COMMAND_SINCE and not frozen:
            self._imports.take("startup-module", "linecache", "Python/pythonrun.c", when=WITH_COMMAND)
        self._startup_file()
        if not (self._invocation.no_site or self._invocation.isolated):
            for name in ("readline", "rlcompleter"):
                self._imports.take("startup-module", name, _HOOK, when=WHEN)
        if minor >= _PYREPL_SINCE and not self._invocation.variable("PYTHON_BASIC_REPL"):
            self._imports.take("startup-module", "_pyrepl", "Modules/main.c (pymain_start_pyrepl)", when=WHEN)

    def _startup_file(self) -> None:
        """PYTHONSTARTUP: run from its source in ``__main__``; an exception is printed, and the session goes on."""
        path = self._invocation.variable("PYTHONSTARTUP")
        if not path or self._finders.symbolic(path) or not self._files.is_file(path):
            return
        path = posixpath.normpath(path)
        record = self._ledger.record("pythonstartup", path, None, None, _MAIN)
        record.loads = path
        depth = len(self._ledger.passing)
        self._ledger.passing.append(WHEN)
        if self._ledger.reach(record, 1):
            self._follow(record)
        del self._ledger.passing[depth:]

    def _follow(self, record: Record) -> None:
        # The syntax tree's types take a while to load: only where there is code to read.
        from envcheck.formats.source import decode

        try:
            data, size = self._files.read_part(record.path, self._files.limits.startup)
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return
        if size > len(data):
            self._files.miss(record.path, f"larger than the bound of {len(data):,} bytes: the rest was not read")
            return
        record.sha256 = sha256(data).hexdigest()
        try:
            self._importer.run_line(decode(data), Frame(record, record.path, path=record.path, own=True), {})
        except Fails:
            self._ledger.conclude(record, "fails", len(record.occurrences) - 1)
        except (Ends, LookupError, ValueError):
            # Undecodable source is a syntax error, which is printed.
            return
