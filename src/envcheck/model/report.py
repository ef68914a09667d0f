"""Options of a scan, and the Report that it returns."""

from collections.abc import Callable

from envcheck.model.bytecode import BytecodeCoverage
from envcheck.model.environment import Environment
from envcheck.model.finding import Finding, NotSeen, Severity
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.model.startup import StartupPlan

TYPE_CHECKING = False  # a light scan has neither, and need not load what they are made of
if TYPE_CHECKING:
    from envcheck.model.inventory import Inventory
    from envcheck.model.lock import Comparison
    from envcheck.model.policy import Policy

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is (0 where unknown)."""


class Options(NamedTuple):
    """What a caller asks of a scan. Paths are absolute."""

    invocation: Invocation = Invocation()
    root: str | None = None
    startup_only: bool = False
    lock: str | None = None
    """The lockfile to compare with; ``None`` for none (choosing one is the command line's work)."""
    lock_sha256: str | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_extras: bool = False
    all_groups: bool = False
    no_default_groups: bool = False
    selection_given: bool = False
    """Whether extras or groups were named; if not, they are inferred from what is installed."""
    ignore: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    """Digests of trusted installations (`envcheck reference`) to compare bases with."""
    wheels: tuple[str, ...] = ()
    """Directories of wheels to compare files with; absolute paths."""
    anchors: str | None = None
    """The anchors file; ``None`` for the one beside the lock, if there is one."""
    fetch: bool = False
    """Whether locked wheels that are not at hand may be downloaded."""
    index_url: str | None = None
    """The index to download from where the lock gives no URL."""
    caches: tuple[tuple[str, str], ...] | None = None
    """The user's variables that tell where caches, proxies and credentials are; ``None``: no cache is looked at."""
    diff: str | None = None
    """A file to show beside what its locked wheel has: absolute, or relative to the environment or a site directory."""
    require_anchors: bool = False
    """Whether a distribution that nothing in the lock vouches for is a finding that fails."""
    excepted: tuple[str, ...] = ()
    """Distributions that need no anchor, by name."""
    indicators: tuple[str, ...] = ()
    """Files with indicators of attacks to look for, besides those that ship."""
    cooldown: int | None = None
    """Days that an archive must have been public before it is trusted."""
    now: float | None = None
    """When a cooldown is counted from, in seconds since the epoch; ``None`` for the clock."""
    fail_on: Severity | None = Severity.HIGH
    """Exit 1 at or above this severity; ``None`` for never."""
    fail_on_drift: Severity | None = None
    """A lower threshold for drift and integrity findings (``verify``)."""
    allow_self: bool = True
    explain: bool = False
    """Tell what all startup code would do, proven code and modules that nothing speaks against too."""
    deep: bool = False
    """Compare all bytecode with its source, not only what runs at startup."""
    trusted_pythons: tuple[str, ...] = ()
    """Interpreters that may be started to compile sources again, beside the one that runs this; absolute paths."""
    policy: "Policy | None" = None
    """What a team decided about findings; ``None``: each counts with the severity that its rule has."""
    config: str | None = None
    """Where configuration was read from, for the report."""
    workers: int = 0
    """Processes that hash; 0 for one a core."""
    progress: Progress | None = None


class Timing(NamedTuple):
    """The only part of a report that two scans of one tree may differ in. Seconds."""

    started: str
    """UTC, ISO 8601."""
    seconds: float
    bytes_read: int


class Difference(NamedTuple):
    """One installed file beside what a locked wheel has in its place."""

    path: str
    wheel: str | None = None
    """The wheel's file name; ``None`` where none is at hand, and ``why`` tells."""
    expected: bytes | None = None
    """What the wheel has."""
    actual: bytes | None = None
    """What is there; ``None`` for nothing, or nothing that can be read."""
    why: str | None = None


class EnvironmentReport(NamedTuple):
    """Everything about one environment."""

    environment: Environment
    plan: StartupPlan
    inventory: "Inventory | None"
    comparison: "Comparison | None"
    not_seen: tuple[NotSeen, ...]
    findings: tuple[Finding, ...]
    """Most severe first; within a severity startup before files before drift, then by path and line."""
    bytecode: tuple[BytecodeCoverage, ...] = ()
    """What compiling sources again proved, by magic number."""
    difference: Difference | None = None
    """Of the file that the caller asked to see (`Options.diff`)."""
    invocation: Invocation | None = None
    """The start of Python that was modelled, where it is not that of the options: another user's."""


class Report(NamedTuple):
    """The result of a scan; reports show it, nothing adds to it."""

    version: str
    options: Options
    clean_room: bool
    clean_room_why: str | None
    environments: tuple[EnvironmentReport, ...]
    exit_code: int
    timing: Timing
    config: str | None = None

    def modelled(self, environment: EnvironmentReport) -> Invocation:
        """The start of Python that an environment's report speaks of."""
        return environment.invocation or self.options.invocation

    @property
    def complete(self) -> bool:
        """Whether everything that had to be read was read."""
        return not any(environment.not_seen for environment in self.environments)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all environments."""
        return tuple(finding for environment in self.environments for finding in environment.findings)
