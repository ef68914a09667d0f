"""Everything that the checks may look at for one environment."""

from envcheck.model.environment import Environment
from envcheck.model.finding import NotSeen
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.model.startup import StartupEntry, StartupPlan

TYPE_CHECKING = False  # a light scan has neither, and need not load what they are made of
if TYPE_CHECKING:
    from envcheck.model.inventory import Inventory
    from envcheck.model.lock import Comparison
    from envcheck.model.policy import Lapsed


class Hit(NamedTuple):
    """Something that is known from an attack."""

    path: str
    line: int | None
    what: str
    """A clause: which attack, and where it was reported or who named it."""
    how: str
    """What matched: ``content``, ``name``, ``path``, ``release`` or ``text``."""
    sha256: str | None = None
    owner: str | None = None


class Facts(NamedTuple):
    """What was learned of one environment; ``inventory`` is ``None`` in a startup-only scan."""

    environment: Environment
    plan: StartupPlan
    inventory: "Inventory | None" = None
    comparison: "Comparison | None" = None
    clean_room: bool = True
    clean_room_why: str | None = None
    not_seen: tuple[NotSeen, ...] = ()
    invocation: Invocation = Invocation()
    open_directories: tuple[tuple[str, str], ...] = ()
    """Directories of path lines that others may make or fill, and a clause that says who."""
    malicious: tuple[Hit, ...] = ()
    """What is known from attacks: shipped indicators, and those that the user named."""
    lapsed: "tuple[Lapsed, ...]" = ()
    """Waivers that name a finding of this environment and do not hold any more."""
    new_entries: tuple[tuple[StartupEntry, str | None], ...] = ()
    """Startup code that runs and that the policy does not expect, with its content."""
