"""The startup plan: every piece of code that CPython runs before the user's first line, in order."""

from envcheck.model.bytecode import Proof
from envcheck.model.nouns import Literal, NamedTuple
from envcheck.model.ownership import Assurance, Owner

TYPE_CHECKING = False  # a light scan of a clean environment makes no account
if TYPE_CHECKING:
    from envcheck.model.behavior import Account

EntryKind = Literal[
    "pth-import", "start-entry-point", "sitecustomize", "usercustomize", "codec", "warnings-category", "pythonstartup",
    "startup-module",
]  # fmt: skip
"""A ``startup-module`` is one that the interpreter imports by itself (``site``, ``os``), answered for by a file that is
not its own standard library's; so are a ``codec`` and a ``warnings-category``."""
Outcome = Literal["runs", "fails", "skipped"]
Verdict = Literal["expected", "unproven", "unexpected", "hostile"]


class Occurrence(NamedTuple):
    """One time that an entry is reached.

    ``number`` is the pass (1 for the first time that the site directory is processed), ``order`` the place in the
    whole start, counted from 1 over everything that is reached.
    """

    number: int
    order: int
    outcome: Outcome
    when: str | None = None
    """The condition of this occurrence, where it depends on something that files do not tell."""


class ClosureFile(NamedTuple):
    """A file that an entry is the first to load by import."""

    path: str
    sha256: str | None = None
    owner: Owner | None = None
    assurance: Assurance | None = None
    loads: str | None = None
    """The ``.pyc`` whose bytes CPython runs in place of ``path``, where it accepts one."""
    order: int | None = None
    """The place in the start of the occurrence that loads it."""
    when: str | None = None
    """The condition under which it is loaded, where it depends on something that files do not tell."""
    proof: Proof | None = None
    """Whether ``loads`` comes from ``path``, where CPython runs it instead."""
    known: str | None = None
    """A clause that says which known tool writes a file of exactly this content, where one does."""
    account: "Account | None" = None
    """What it would do; ``None`` where its bytes are proven, or the content is known."""


class StartupEntry(NamedTuple):
    """One unit of code that CPython runs, or would run, at startup. Paths are absolute, in the target's terms."""

    kind: EntryKind
    path: str
    """The file that names or holds the code."""
    line: int | None
    """1-based, counted as that CPython splits lines; ``None`` for a module."""
    code: str | None
    """The whole source text that runs, never shortened; ``None`` for a module."""
    loads: str | None = None
    """The file whose bytes are executed for a module; for an import line the first module file that it loads."""
    occurrences: tuple[Occurrence, ...] = ()
    reason: str | None = None
    """Why it does not run, when it does not."""
    when: str | None = None
    """The condition, when running depends on something that files do not tell."""
    shadowed_by: str | None = None
    closure: tuple[ClosureFile, ...] = ()
    unresolved: tuple[str, ...] = ()
    """Imports that could not be followed."""
    owner: Owner | None = None
    assurance: Assurance = "unrecorded"
    sha256: str | None = None
    """Of ``path``."""
    verdict: Verdict = "unproven"
    capabilities: tuple[str, ...] = ()
    rule: str = ""
    """Where the rule that makes it run comes from (PEP, CPython issue): for ``--plan``."""
    notes: tuple[str, ...] = ()
    """What is odd about how the code is written (``off-screen``, ``line-separator`` …), for the hiding check."""
    outside: str | None = None
    """For code found through a path line or ``addsitedir``: the directory that supplied it, when it lies outside
    the environment."""
    proof: Proof | None = None
    """For a module: whether ``loads`` comes from ``path``, where CPython runs it instead."""

    elsewhere: str | None = None
    """Where an entry that does not run here would: ``on Python 3.12.4 and later``."""
    known: str | None = None
    """A clause that says which known tool writes a file of exactly this content, where one does."""
    account: "Account | None" = None
    """What the code would do, or for a module its file."""
    times: tuple[tuple[str, int], ...] = ()
    """When ``path`` was changed (its inode), modified (which anyone can set) and born, in seconds since the epoch:
    of an entry that nobody answers for."""

    @property
    def runs(self) -> int:
        """How many occurrences execute (a failing line executes up to its failure)."""
        return sum(occurrence.outcome != "skipped" for occurrence in self.occurrences)


class PathLine(NamedTuple):
    """A ``.pth`` line that extends ``sys.path``."""

    path: str
    """The ``.pth`` file."""
    line: int
    text: str
    directory: str
    """The absolute entry that the line stands for (textually normalised, never resolved)."""
    added: bool
    """Whether the entry exists and joins ``sys.path``."""
    symbolic: bool = False
    """The entry is the current directory in disguise (``/proc/self/cwd``, ``/dev/fd/3``)."""


class Abort(NamedTuple):
    """A start that fails before the user's first line, and where."""

    path: str
    line: int | None
    why: str
    certain: bool


class StartupPlan(NamedTuple):
    """All startup entries in the order in which they first run, and how ``sys.path`` ends up."""

    entries: tuple[StartupEntry, ...]
    path_lines: tuple[PathLine, ...]
    sys_path: tuple[str, ...]
    aborts: tuple[Abort, ...] = ()
    not_modelled: str | None = None
    """Set where the plan cannot be made at all (another implementation than CPython)."""
    path_certain: bool = True
    """Whether each place on ``sys.path``, and their order, is known without a condition."""
