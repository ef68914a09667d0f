"""What is running at one moment of a simulated start: the code, and the modules that it imported."""

from envcheck.model.nouns import NamedTuple
from envcheck.startup.ledger import Record
from envcheck.startup.search import PathEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.functions import Functions
    from envcheck.formats.source import ModuleFacts


class Module:
    """A module that was imported."""

    __slots__ = (
        "active", "altered", "conditions", "data", "doubtful", "facts", "functions", "maybe", "name", "namespace",
        "package_when", "path", "search", "source", "standard",
    )  # fmt: skip

    def __init__(self, name: str, search: tuple[PathEntry, ...] | None = None, standard: bool = False) -> None:
        self.name = name
        self.search = search
        """``__path__``, of a package."""
        self.package_when: str | None = None
        """The condition under which it is a package at all, where several modules may be what an import found."""
        self.standard = standard
        self.namespace = False
        self.maybe = False
        self.conditions: frozenset[str] = frozenset()
        """Under which its body ran: an import under others may run it again, or for the first time."""
        self.active = False
        """Its body is running, so that what it will bind need not be bound yet."""
        self.source: tuple[str, bytes] | None = None
        """Path and text, of a loader that puts a finder on ``sys.meta_path``."""
        self.facts: ModuleFacts | None = None
        self.path = ""
        """Its file."""
        self.data: bytes | None = None
        """The source that ``facts`` were read from, for the bodies of its functions."""
        self.functions: Functions | None = None
        self.altered = False
        """Other code assigned to its names."""
        self.doubtful = False
        """Other bytes than those that ``facts`` were read from may have run."""


class Frame(NamedTuple):
    """The code that is running: whose entry it counts for, and where it stands."""

    record: Record
    where: str
    """``line 3 of /path/x.pth`` or a module's file, for conditions in words."""
    package: str = ""
    path: str = ""
    line: int | None = None
    own: bool = False
    """It is the entry's own code, not that of a module which it imports."""
    module: Module | None = None
    """The module whose body, or one of whose functions, is running."""
