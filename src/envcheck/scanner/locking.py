"""A lock into the comparison with what is installed, and into the anchors that prove its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from envcheck.files.root import Files, Unreadable
from envcheck.installed.inventory import Installed
from envcheck.model.environment import Environment
from envcheck.model.errors import UsageError
from envcheck.model.inventory import Inventory, normalize_name
from envcheck.model.lock import Comparison
from envcheck.model.report import Difference, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.tags import Tag

    from envcheck.anchors.lookup import Anchors
    from envcheck.anchors.sources import Places
    from envcheck.model.lock import Lock

    Tags = frozenset[Tag]


class Locking:
    """The lock, what is installed against it, and the anchors that it gives; nothing is loaded without a lock.

    Used in a ``with`` statement: whatever ends that ends the copies that read wheels.
    """

    def __init__(self, files: Files, environment: Environment, options: Options, prefixes: tuple[str, ...]) -> None:
        self._files = files
        self._environment = environment
        self._options = options
        self._prefixes = prefixes
        self._lock: Lock | None = None
        self._anchors: Anchors | None = None
        self._committed: str | None = None

    def __enter__(self) -> Locking:
        return self

    def __exit__(self, *_: object) -> None:
        if self._anchors is not None:
            self._anchors.stop()

    def begin(self, installed: Installed) -> None:
        """Read the lock, and begin to read the wheels of what is installed. Raises `UsageError`."""
        options = self._options
        if options.lock is None:
            return
        from envcheck.anchors.committed import read_committed
        from envcheck.anchors.lookup import Anchors
        from envcheck.locks.read import read_lock
        from envcheck.locks.targets import accepted, fits

        # The user's own file lies on this machine, wherever the target's is mounted.
        self._lock = lock = read_lock(self._files if options.root is None else Files(), options.lock)
        self._committed = options.anchors or anchors_beside(lock.path, self._prefixes)
        committed = None if self._committed is None else read_committed(Files(), self._committed)
        tags = accepted(self._environment.python)
        fitting = partial(_fits_all, fits, tags) if tags else None
        self._anchors = Anchors(
            lock, places_of(options, self._prefixes), committed, fitting, options.workers, options.progress
        )
        self._anchors.begin(installed.distributions())

    @property
    def has_anchors(self) -> bool:
        """Whether the lock may answer for files: there are wheels to look at, or an anchors file."""
        return self._committed is not None or bool(self._options.wheels) or self._options.fetch

    def difference(self, installed: Installed) -> Difference | None:
        """The file that the user wants to see beside what its locked wheel has."""
        wanted = self._options.diff
        if wanted is None:
            return None
        if self._anchors is None:
            return Difference(wanted, why="there is no lock to compare with")
        path, owners = installed.candidates(wanted)
        try:
            actual = self._files.read(path, self._files.limits.startup)
        except Unreadable:
            actual = None
        for name, version, location in owners:
            found = self._anchors.member(name, version, location)
            if found is not None:
                return Difference(path, found[0].filename, found[1], actual)
        why = "no locked wheel at hand has it: --wheels DIR names a directory of wheels, --fetch downloads them"
        return Difference(path, actual=actual, why=why)

    def compare(self, installed: Installed) -> Comparison | None:
        """What is installed against what the lock asks for here."""
        if self._lock is None:
            return None
        from envcheck.locks.compare import compare

        return compare(self._files, self._lock, self._environment, installed.distributions(), self._options)

    def inventory(self, installed: Installed) -> Inventory:
        """What is installed, proven by the lock where that is possible."""
        if self._lock is None or self._anchors is None:
            return installed.inventory()
        inventory = installed.inventory(self._anchors.expectation, self._lock.path.rsplit("/", 1)[-1])
        assert inventory.anchoring is not None
        self._files.bytes_read += self._anchors.bytes_read
        excepted = {normalize_name(name) for name in self._options.excepted}
        anchoring = inventory.anchoring._replace(
            path=self._committed,
            excepted=tuple(sorted({one.name for one in inventory.anchoring.unanchored} & excepted)),
            required=self._options.require_anchors,
            problems=tuple(self._anchors.problems),
        )
        return inventory._replace(anchoring=anchoring)


def _fits_all(fits: Callable[[str, Tags], bool], tags: Sequence[Tags], filename: str) -> bool:
    return any(fits(filename, one) for one in tags)


def places_of(options: Options, prefixes: tuple[str, ...]) -> Places:
    """Where wheels may be looked for."""
    from envcheck.anchors.sources import Places

    return Places(
        wheels=options.wheels,
        caches=options.caches is not None,
        fetch=options.fetch,
        index_url=options.index_url,
        environ=options.caches or (),
        forbidden=prefixes,
    )


def anchors_beside(lock: str, prefixes: Sequence[str]) -> str | None:
    """The anchors file beside a lock; one that lies in a target is not chosen by itself."""
    from envcheck.anchors.committed import NAME

    path = f"{lock.rpartition('/')[0]}/{NAME}"
    return path if Files().is_file(path) and _holder(path, prefixes) is None else None


def refuse_from_target(prefixes: Sequence[str], options: Options) -> None:
    """A target is not its own witness. Raises `UsageError`."""
    named = [("--anchors", options.anchors)] if options.anchors is not None else []
    named += [("--wheels", path) for path in options.wheels]
    named += [("--reference", path) for path in options.references]
    named += [("--indicators", path) for path in options.indicators]
    for option, path in named:
        holder = _holder(path, prefixes)
        if holder is not None:
            raise UsageError(
                f"{option} {path}: lies inside the scanned environment {holder}",
                "who can change the files there can change these too: name what is kept elsewhere",
            )


def _holder(path: str, prefixes: Sequence[str]) -> str | None:
    """The target that holds a path, however it is spelt."""
    from envcheck.files.inside import lies_in

    return next((prefix for prefix in prefixes if lies_in(Files(), path, prefix)), None)
