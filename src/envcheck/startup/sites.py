"""Site directories processed one after another as ``site`` does: what their ``.pth`` and ``.start`` files make run.

Up to 3.14 each directory's files are read and run in turn; 3.15 collects all of them first (PEP 829).
"""

import posixpath
from collections.abc import Iterable

from envcheck.files.root import Files
from envcheck.model.environment import Environment
from envcheck.model.nouns import NamedTuple
from envcheck.model.startup import PathLine
from envcheck.startup import entrypoints, pth
from envcheck.startup.encoding import Codec, encodable
from envcheck.startup.entrypoints import EntryPoint
from envcheck.startup.frames import Frame
from envcheck.startup.importing import Importer
from envcheck.startup.ledger import Ends, Fails, Ledger, Record
from envcheck.startup.modules import Finders
from envcheck.startup.pth import Content, Line
from envcheck.startup.rules import Rules, source
from envcheck.startup.search import PathEntry
from envcheck.startup.startup_files import StartupFile, StartupFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.source import ModuleFacts

MAX_LINES = 50_000
"""Import lines, and path lines, reached in one start; a file that adds its own directory over and over is cut here."""
MAX_PATH = 2_000
"""Directories on ``sys.path``, each of which is looked at for every import."""
_FILE = "Lib/site.py"


class _Batch(NamedTuple):
    """What 3.15 collects before it runs anything."""

    imports: list[tuple[StartupFile, Line, int, str]]
    """File, line, pass and site directory of every import line."""
    starts: list[tuple[StartupFile, tuple[EntryPoint, ...], int]]
    suppressing: set[str]
    """The ``.start`` files that were read: they take the place of import lines in the ``.pth`` of the same name."""


class Sites:
    """The site directories of one simulated start."""

    def __init__(
        self,
        files: Files,
        environment: Environment,
        rules: Rules,
        codec: Codec,
        names: Codec,
        finders: Finders,
        ledger: Ledger,
        importer: Importer,
    ) -> None:
        self._files = files
        self._environment = environment
        self._rules = rules
        self._codec = codec
        self._names = names
        self._finders = finders
        self._ledger = ledger
        self._importer = importer
        self._startup_files = StartupFiles(files, rules, codec, finders, ledger)
        self._passes: dict[str, int] = {}
        self._broken: dict[str, str] = {}
        """Files with a line that failed, where that ends the file though all were collected first."""
        self._active: list[str] = []
        self._lines = 0
        self._path_lines = 0
        self._existing: dict[str, bool] = {}
        self._nested = 0
        """Calls of ``site.addsitedir`` that are running."""
        self._pending: list[PathEntry] | None = None
        """What joins ``sys.path`` when everything of a batch has been collected."""
        importer.add_site_directory = self._added_by_code
        importer.nameable = lambda path: encodable(path, names)

    @property
    def startup_files(self) -> StartupFiles:
        """The files that were read, and how."""
        return self._startup_files

    def process(self, directories: Iterable[str], known: set[str]) -> None:
        """``site.main``'s part: every site directory in its order."""
        if self._rules.collected_first:
            self._in_batch(directories, known)
            return
        for directory in directories:
            self._directory(directory, known)

    def _added_by_code(self, directory: str, frame: Frame) -> None:
        """``site.addsitedir(directory)`` in running code: at once, with the paths known then."""
        if directory in self._active:
            frame.record.unresolved[f"site.addsitedir({directory!r}) adds the directory that is being processed"] = None
            self._files.miss(frame.path, f"adds {directory} again while it is processed: not followed further")
            return
        if self._finders.symbolic(directory):
            frame.record.unresolved[f"site.addsitedir of a directory of the running process ({directory})"] = None
            self._importer.search.path.append(PathEntry(directory, self._ledger.when, frame.path))
            return
        known = {
            posixpath.normpath(e.path)
            for e in self._importer.search.path
            if e.when is None and e.path.startswith("/") and (self._finders.symbolic(e.path) or self._exists(e.path))
        }
        if frame.line is not None and self._exists(directory):
            key = (frame.path, frame.line, directory)
            added = PathLine(frame.path, frame.line, frame.record.code or "", directory, True)
            self._ledger.path_lines.setdefault(key, added)
        self._nested += 1
        active = len(self._active)
        outer, self._pending = self._pending, None
        try:
            if self._rules.collected_first:
                self._in_batch([directory], known)
            else:
                self._directory(directory, known)
        finally:
            self._nested -= 1
            self._pending = outer
            del self._active[active:]

    def _exists(self, path: str) -> bool:
        """Whether something is there, looked at once."""
        found = self._existing.get(path)
        if found is None:
            found = self._existing[path] = self._files.exists(path)
        return found

    # Up to 3.14: in turn ----------------------------------------------------------------------------------------

    def _directory(self, directory: str, known: set[str]) -> None:
        number = self._enter(directory, known)
        names = self._finders.listing(directory)
        if names is not None:
            self._active.append(directory)
            for name in names:
                if pth.is_pth(name) and not self._startup_files.hidden(directory, name):
                    self._file(f"{directory}/{name}", number, directory, known)
            self._active.pop()

    def _enter(self, directory: str, known: set[str]) -> int:
        number = self._passes[directory] = self._passes.get(directory, 0) + 1
        if directory not in known:
            self._join(PathEntry(directory, self._ledger.when), known)
        if number == 1:
            self._dormant(directory)
        return number

    def _file(self, path: str, number: int, directory: str, known: set[str]) -> None:
        found = self._startup_files.open(path)
        if found is None:
            return
        content = self._startup_files.content(found)
        if content.undecodable is not None and self._rules.utf8_first:
            # All of it is decoded before the first line runs.
            if self._nested:
                self._undecodable_for_caller(content, found, number)
            else:
                self._undecodable(content, found, number)
            content = content._replace(undecodable=None, certain=True)
        outer = len(self._ledger.passing)
        failed: str | None = None
        before: ModuleFacts | None = None
        cut: list[str] | None = None
        """Where decoding may fail before the rest of the lines: the conditions of getting there."""
        for line in content.lines:
            if not content.certain and line.number > content.sure and cut is None and failed is None:
                cut = self._ledger.passing[outer:]
                self._ledger.passing.insert(outer, f"only if {path} can be decoded")
            if line.kind == "path":
                if failed is None:
                    self._path_line(line, path, directory, known)
                continue
            record = self._line_record(line, found)
            if line.kind == "dormant":
                continue
            if failed is not None:
                self._ledger.skip(record, number, failed)
            else:
                why, bound = self._import_line(line, record, number, directory, path, before)
                if why is not None and not self._rules.file_survives_error:
                    failed = f"line {line.number} fails before it ({why}), and the rest of the file is ignored"
                before = None if self._rules.names_apart else bound or before
        conditions = self._ledger.passing[outer:] if cut is None else cut
        del self._ledger.passing[outer:]
        if content.undecodable is not None and (cut is not None or failed is None):
            if not self._nested:
                self._ledger.passing += conditions
                self._undecodable(content, found, number)
                del self._ledger.passing[outer:]
            elif not conditions:
                self._undecodable_for_caller(content, found, number)

    def _import_line(
        self, line: Line, record: Record, number: int, directory: str, path: str, before: "ModuleFacts | None" = None
    ) -> "tuple[str | None, ModuleFacts | None]":
        """Run one import line: why it fails, where that is certain, and what it binds."""
        self._lines += 1
        if self._lines > MAX_LINES:
            self._files.miss(path, f"more than {MAX_LINES:,} lines run: the rest was not followed")
            return None, None
        if not self._ledger.reach(record, number):
            return None, None
        index = len(record.occurrences) - 1
        frame = Frame(record, f"line {line.number} of {path}", path=path, line=line.number, own=True)
        constants = {"sitedir": directory, "fullname": path, "name": posixpath.basename(path)}
        try:
            return None, self._importer.run_line(line.text, frame, constants, before)
        except Fails as failure:
            self._ledger.conclude(record, "fails", index)
            return str(failure), None
        except Ends:
            return None, None

    def _undecodable(self, content: Content, found: StartupFile, number: int) -> None:
        why = f"{found.path} cannot be decoded as {self._codec.name} ({content.undecodable})"
        reason = f"the start ends before: {why}"
        self._ledger.abort(found.path, None, why, f"only if {found.path} can be decoded", content.certain)
        for line in content.lost:
            if line.kind == "import":
                self._ledger.skip(self._line_record(line, found), number, reason)

    def _undecodable_for_caller(self, content: Content, found: StartupFile, number: int) -> None:
        """In ``site.addsitedir`` called by an import line the exception makes that line fail, not the start."""
        why = f"{found.path} cannot be decoded as {self._codec.name} ({content.undecodable})"
        for line in content.lost:
            if line.kind == "import":
                self._ledger.skip(self._line_record(line, found), number, why)
        if content.certain and self._ledger.certain:
            raise Fails(why)
        self._ledger.passing.append(f"only if {found.path} can be decoded")

    # 3.15: collected first --------------------------------------------------------------------------------------

    def _in_batch(self, directories: Iterable[str], known: set[str]) -> None:
        """PEP 829: every path line of every directory first, then the import lines, then the entry points."""
        batch = _Batch([], [], set())
        outer, self._pending = self._pending, []
        try:
            for directory in directories:
                self._collect_directory(directory, known, batch)
            self._importer.search.path += [e._replace(when=self._ledger.when) for e in self._pending]
        finally:
            self._pending = outer
        for found, line, number, directory in batch.imports:
            self._run_collected(found, line, number, directory, batch.suppressing)
        for found, points, number in batch.starts:
            for point in points:
                self._entry_point(point, found, number)

    def _collect_directory(self, directory: str, known: set[str], batch: _Batch) -> None:
        number = self._enter(directory, known)
        names = self._finders.listing(directory) or {}
        self._active.append(directory)
        for name in names:
            if pth.is_pth(name) and not self._startup_files.hidden(directory, name):
                self._collect(f"{directory}/{name}", number, directory, known, batch)
        for name in names:
            if not self._rules.start_files:
                break
            if pth.is_pth(name, ".start") and not self._startup_files.hidden(directory, name):
                found = self._startup_files.open(f"{directory}/{name}")
                points = None if found is None else entrypoints.read(found.data)
                if found is not None and points is not None:
                    batch.suppressing.add(found.path)
                    batch.starts.append((found, points, number))
        self._active.pop()

    def _collect(self, path: str, number: int, directory: str, known: set[str], batch: _Batch) -> None:
        found = self._startup_files.open(path)
        if found is None:
            return
        content = self._startup_files.content(found)
        if content.undecodable is not None and self._nested:
            self._undecodable_for_caller(content, found, number)
        elif content.undecodable is not None:
            self._undecodable(content, found, number)
        for line in content.lines:
            if line.kind == "path":
                self._path_line(line, path, directory, known)
            elif line.kind == "import":
                batch.imports.append((found, line, number, directory))

    def _run_collected(
        self, found: StartupFile, line: Line, number: int, directory: str, suppressing: set[str]
    ) -> None:
        record = self._line_record(line, found)
        suppressor = found.path.removesuffix(".pth") + ".start"
        if suppressor in suppressing:
            reason = f"{posixpath.basename(suppressor)} beside it takes the place of its import lines"
            self._ledger.skip(record, number, reason)
            return
        if found.path in self._broken:
            self._ledger.skip(record, number, self._broken[found.path])
            return
        depth = len(self._ledger.passing)
        why, _ = self._import_line(line, record, number, directory, found.path)
        if why is not None and not self._rules.file_survives_error:
            self._broken[found.path] = f"line {line.number} fails before it ({why}), and the rest is ignored"
        del self._ledger.passing[depth:]

    def _entry_point(self, point: EntryPoint, found: StartupFile, number: int) -> None:
        record = self._point_record(point, found)
        if point.module is None or point.attribute is None:
            self._ledger.skip(record, number, "it is no entry point of the form package.module:callable")
            return
        if not self._ledger.reach(record, number):
            return
        index = len(record.occurrences) - 1
        frame = Frame(record, f"line {point.number} of {found.path}", path=found.path, line=point.number)
        depth = len(self._ledger.passing)
        try:
            self._importer.run_line(f"import {point.module} as _m\n_m.{point.attribute}()", frame, {})
        except Fails:
            self._ledger.conclude(record, "fails", index)
        except Ends:
            pass
        del self._ledger.passing[depth:]

    # Path lines -------------------------------------------------------------------------------------------------

    def _path_line(self, line: Line, path: str, directory: str, known: set[str]) -> None:
        self._path_lines += 1
        if self._path_lines > MAX_LINES:
            self._files.miss(path, f"more than {MAX_LINES:,} path lines: the rest was not followed")
            return
        entry = posixpath.normpath(posixpath.join(directory, line.text))
        if entry.startswith("//"):
            entry = entry[1:] if not line.text.startswith("//") else entry
        symbolic = self._finders.symbolic(entry)
        nameable = "\0" not in entry and encodable(line.text, self._names)
        added = nameable and entry not in known and (symbolic or self._exists(entry))
        if added and self._ledger.ended is None:
            self._join(PathEntry(entry, self._ledger.when, path), known)
        key = (path, line.number, line.text)
        if added or key not in self._ledger.path_lines:
            self._ledger.path_lines[key] = PathLine(path, line.number, line.text, entry, added, symbolic)

    def _join(self, entry: PathEntry, known: set[str]) -> None:
        """Append to ``sys.path``; what joins only under a condition is not known for certain, and may join again."""
        path = self._importer.search.path if self._pending is None else self._pending
        if len(path) >= MAX_PATH:
            self._files.miss(
                entry.added_by or entry.path,
                f"more than {MAX_PATH:,} directories on sys.path: the rest was not looked at",
            )
            return
        path.append(entry)
        if entry.when is None:
            known.add(entry.path)

    # Entries ----------------------------------------------------------------------------------------------------

    def _line_record(self, line: Line, found: StartupFile) -> Record:
        record = self._ledger.record("pth-import", found.path, line.number, line.text, line.rule or _FILE)
        record.sha256 = found.sha256
        record.notes = line.notes
        record.outside = self._importer.search.outside(posixpath.dirname(found.path))
        if line.reason is not None and record.reason is None:
            record.reason = line.reason
        return record

    def _point_record(self, point: EntryPoint, found: StartupFile) -> Record:
        record = self._ledger.record("start-entry-point", found.path, point.number, point.text, source("start_files"))
        record.sha256 = found.sha256
        record.notes = point.notes
        record.outside = self._importer.search.outside(posixpath.dirname(found.path))
        return record

    # What does not run here, but elsewhere -----------------------------------------------------------------------

    def _dormant(self, directory: str) -> None:
        """Entries for code in the directory that only other versions run: hidden ``.pth``, ``.start`` before 3.15."""
        names = self._finders.listing(directory) or {}
        for name in names:
            path = f"{directory}/{name}"
            if pth.is_pth(name) and self._startup_files.hidden(directory, name):
                found = self._startup_files.peek(path)
                if found is None:
                    continue
                for line in self._startup_files.content(found).lines:
                    if line.kind == "import":
                        record = self._line_record(line, found)
                        record.reason = "its name begins with a dot (or it has the hidden attribute), so it is skipped"
                        record.notes = ("leading-dot", *record.notes)
                        record.rule = source("hidden_skipped")
            elif pth.is_pth(name, ".start") and not self._rules.start_files:
                found = self._startup_files.peek(path)
                for point in () if found is None else entrypoints.read(found.data) or ():
                    if found is not None and point.module is not None:
                        self._point_record(point, found).reason = "only Python 3.15 and later read .start files"
