"""A startup plan into one that says who put each file there, what its code would do, and whether to worry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from envcheck.checks.verdict import verdict
from envcheck.files.root import Files, Unreadable
from envcheck.installed.inventory import Installed
from envcheck.model.bytecode import Proof
from envcheck.model.nouns import NamedTuple
from envcheck.model.ownership import STRENGTH, Claim
from envcheck.model.report import Options
from envcheck.model.startup import ClosureFile, StartupEntry, StartupPlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.files.workers import Aside
    from envcheck.model.behavior import Account

_TRUSTED = ("anchored",)
"""Assurance for which nobody asks what the code does."""


def _may_decide(data: bytes) -> bool:
    from envcheck.behavior.worth import may_decide

    return may_decide(data)


def look_up(plan: StartupPlan, installed: Installed) -> None:
    """Find the claims that `attribute` will ask for; they are kept."""
    for entry in plan.entries:
        installed.claim(entry.path)
        for file in entry.closure:
            installed.claim(file.path)


def attribute(plan: StartupPlan, installed: Installed) -> StartupPlan:
    """The plan with owner, assurance and verdict of every entry and of every file that it loads."""
    claims: dict[str, Claim] = {}

    def claim(path: str) -> Claim:
        if path not in claims:
            claims[path] = installed.claim(path)
        return claims[path]

    return plan._replace(entries=tuple(_attributed(entry, claim) for entry in plan.entries))


def _attributed(entry: StartupEntry, claim: Callable[[str], Claim]) -> StartupEntry:
    own, proof = _weaker(claim, entry.path, entry.loads if entry.line is None else None, entry.proof)
    closure = tuple(_closure_file(file, *_weaker(claim, file.path, file.loads, file.proof)) for file in entry.closure)
    return entry._replace(
        owner=own.owner, assurance=own.assurance, sha256=entry.sha256 or own.sha256, closure=closure, proof=proof
    )


def _weaker(
    claim: Callable[[str], Claim], path: str, loads: str | None, proof: Proof | None
) -> tuple[Claim, Proof | None]:
    """The claim on a module's file, or on the bytecode that runs in its place where that one proves less.

    Bytecode that was proven to come from the source is as good as that; what differs from it is ``modified``.
    """
    own = claim(path)
    if loads is None or loads == path:
        return own, None
    if proof is not None and proof.result != "unproven":
        proof = proof._replace(source_assurance=own.assurance)
        return own if proof.result == "proven" else own._replace(assurance="modified"), proof
    run = claim(loads)
    return own._replace(assurance=run.assurance) if STRENGTH[run.assurance] < STRENGTH[own.assurance] else own, proof


def _closure_file(file: ClosureFile, own: Claim, proof: Proof | None) -> ClosureFile:
    return file._replace(owner=own.owner, assurance=own.assurance, sha256=file.sha256 or own.sha256, proof=proof)


def judge_startup(plan: StartupPlan, accounts: Accounts) -> StartupPlan:
    """The plan with what code in it would do, and with a verdict on every entry."""
    entries = []
    for entry in plan.entries:
        closure = tuple(accounts.of_file(file) for file in entry.closure)
        entry = accounts.of_entry(entry)._replace(closure=closure)
        told = [account for account in (entry.account, *(file.account for file in closure)) if account is not None]
        if told:
            from envcheck.model.behavior import capabilities_of

            entry = entry._replace(capabilities=capabilities_of(told))
        entry = entry._replace(notes=(*entry.notes, *hiding(entry)))
        entries.append(entry._replace(verdict=verdict(entry), times=accounts.times(entry)))
    return plan._replace(entries=tuple(entries))


def hiding(entry: StartupEntry) -> Iterator[str]:
    """What else is odd about how an entry is named or written, where nothing vouches for it."""
    if entry.assurance not in ("unrecorded", "modified"):
        return
    from envcheck.catalogue.similar import looks_like
    from envcheck.catalogue.startup_files import STARTUP_FILES

    name = entry.path.rpartition("/")[2]
    similar = looks_like(name)
    if similar is not None:
        yield f"its name looks like {similar}, and is another"
    elif name in STARTUP_FILES and STARTUP_FILES[name].distinctive and entry.known is None:
        yield f"it bears the name of {STARTUP_FILES[name].what}, and has another content"
    if entry.account is not None:
        yield from (trick for trick in entry.account.tricks if trick not in entry.notes)


class Question(NamedTuple):
    """What an account is asked of: a file, or a line of one."""

    path: str
    """Empty for a line."""
    code: str
    """Empty for a file."""
    line: int


class Accounts:
    """What code would do, asked of each file once, and only where neither a lock nor the catalogue answers for it.

    In a whole scan, of lines that are proven too: that costs nothing that one notices. A startup-only scan asks of a
    line that a RECORD lists only where its words could decide anything. Used in a ``with`` statement: whatever ends
    that ends the copy of this process that makes them.
    """

    def __init__(self, files: Files, installed: Installed, options: Options) -> None:
        self._files = files
        self._installed = installed
        self._proven = options.explain or not options.startup_only
        self._all = options.explain
        self._alone = options.workers == 1
        self._known: dict[str, str | None] = {}
        self._accounts: dict[Question, Account] = {}
        self._harmless: set[Question] = set()
        """Files in which a quick look finds nothing that could decide."""
        self._wanted: list[tuple[Question, bool]] | None = None
        """While it is only noted what is asked, and whether a quick look may do."""
        self._copy: Aside | None = None

    def __enter__(self) -> Accounts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.stop()

    def begin(self, plan: StartupPlan) -> None:
        """Have a copy of this process make the accounts that are wanted if no lock answers for anything.

        The trees and values that reading makes are gone with the copy.
        """
        if self._alone:
            return
        wanted: list[tuple[Question, bool]] = []
        self._wanted = wanted
        for entry in attribute(plan, self._installed).entries:
            self.of_entry(entry)
            for file in entry.closure:
                self.of_file(file)
        self._wanted = None
        if wanted:
            from envcheck.files.workers import Aside

            self._copy = Aside(lambda: self._answers(dict.fromkeys(wanted)))

    def of_entry(self, entry: StartupEntry) -> StartupEntry:
        """An entry with an account of its line, or of the module that it is."""
        known = self._known_as(entry.path, entry.assurance)
        entry = entry._replace(known=known)
        if entry.code is not None and entry.kind == "pth-import":
            if not self._proven and (
                entry.assurance in _TRUSTED
                or known is not None
                or (entry.assurance == "recorded" and not _may_decide(entry.code.encode("utf-8", "surrogatepass")))
            ):
                return entry
            return entry._replace(account=self._ask(Question("", entry.code, entry.line or 1)))
        if entry.line is not None or (not self._all and (entry.assurance in _TRUSTED or known is not None)):
            return entry
        return entry._replace(account=self._account(entry.path, entry.loads, entry.proof))

    def times(self, entry: StartupEntry) -> tuple[tuple[str, int], ...]:
        """When the file of an entry that nobody answers for was changed, modified and born."""
        status = self._files.stat(entry.path) if entry.runs and entry.assurance in ("unrecorded", "modified") else None
        if status is None:
            return ()
        # Linux tells a birth time to Python 3.15 only, by another call.
        born = getattr(status, "st_birthtime", None)
        found = [("changed", int(status.st_ctime)), ("modified", int(status.st_mtime))]
        return (*found, *([("born", int(born))] if born is not None else []))

    def of_file(self, file: ClosureFile) -> ClosureFile:
        """A file that an entry loads, with an account of it."""
        known = self._known_as(file.path, file.assurance)
        if not self._all and (file.assurance in _TRUSTED or known is not None):
            return file._replace(known=known)
        file = file._replace(known=known)
        # A package's own modules: only those that could be told against although a RECORD lists them.
        quick = file.assurance == "recorded" and file.path.endswith(".py") and not self._all
        return file._replace(account=self._account(file.path, file.loads, file.proof, quick))

    def _known_as(self, path: str, assurance: str | None) -> str | None:
        if assurance not in ("recorded", "known"):
            return None
        if path not in self._known:
            self._known[path] = self._installed.known(path)
        return self._known[path]

    def _account(self, path: str, loads: str | None, proof: Proof | None, quick: bool = False) -> Account | None:
        # The bytecode in place of a source that says something else.
        differs = proof is not None and proof.result == "mismatch"
        subject = loads if loads is not None and (differs or path.endswith(".pyc")) else path
        return self._ask(Question(subject, "", 0), quick)

    def _ask(self, question: Question, quick: bool = False) -> Account | None:
        if self._wanted is not None:
            self._wanted.append((question, quick))
            return None
        if self._copy is not None:
            self._collect()
        if quick and question in self._harmless:
            return None
        if question not in self._accounts:
            account = self._make(question, quick)
            if account is None:
                self._harmless.add(question)
                return None
            self._accounts[question] = account
        return self._accounts[question]

    def _make(self, question: Question, quick: bool) -> Account | None:
        """An account; ``None`` where a quick look was enough."""
        from envcheck.behavior.account import account_of_file, account_of_line
        from envcheck.model.behavior import Account

        path = question.path
        if not path:
            return account_of_line(question.code, question.line)
        try:
            data = self._files.read(path, self._files.limits.startup)
        except Unreadable as error:
            return Account("unknown", False, error.why)
        return None if quick and not _may_decide(data) else account_of_file(path.rpartition("/")[2], data)

    def _answers(self, wanted: Iterable[tuple[Question, bool]]) -> bytes:
        """In the copy: the account of each question, and how many bytes were read for all."""
        import json

        before = self._files.bytes_read
        found = [(question, self._make(question, quick)) for question, quick in wanted]
        # Surrogates pass as they are: escaped, two of them side by side would come back as one character.
        text = json.dumps([self._files.bytes_read - before, found], ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")

    def _collect(self) -> None:
        """Take what the copy found; what it did not find is asked again here."""
        import json

        from envcheck.model.behavior import account_of_values

        assert self._copy is not None
        data, self._copy = self._copy.take(), None
        if data is None:
            return
        read, found = json.loads(data.decode("utf-8", "surrogatepass"))
        self._files.bytes_read += read
        for asked, values in found:
            question = Question(*asked)
            if values is None:
                self._harmless.add(question)
            else:
                self._accounts[question] = account_of_values(values)
