"""A lockfile and a target's version and platform into what the lock alone tells."""

from envcheck.files.root import Files
from envcheck.locks.builds import Build, builds
from envcheck.locks.cooldown import too_new
from envcheck.locks.fitness import unfit
from envcheck.locks.forbidden import Configured, exempt, forced, forced_problems, no_build, sdist_problems, settings
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import Choice, chosen, default_members, index, select
from envcheck.locks.targets import accepted
from envcheck.model.environment import Python
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock, LockedPackage, LockProblem
from envcheck.model.nouns import NamedTuple


class Judged(NamedTuple):
    """What a lock means for one target, without any environment."""

    lock: Lock
    python: str
    platform: str
    choice: Choice
    selected: tuple[LockedPackage, ...] | None
    """In the order of the walk; ``None`` where the lock does not tell what is asked for."""
    builds: tuple[Build, ...]
    """What runs code when it is installed."""
    named: bool
    """Whether the lock names its archives; where it does not, ``builds`` cannot be known."""
    configured: Configured
    exempt: tuple[str, ...]
    settings: tuple[str, ...]
    """Lines that forbid every build but those of ``exempt``."""
    problems: tuple[LockProblem, ...]


def judge(
    files: Files,
    path: str,
    target: tuple[str, str],
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    everything: bool = False,
    no_default_groups: bool = False,
    cooldown: int | None = None,
    now: float = 0.0,
) -> Judged:
    """``target`` is a version and a platform as a scan names them. Raises `LockError`."""
    lock = read_lock(files, path)
    version, platform = target
    minor = "".join(version.split(".")[:2])
    python = Python(version, "binary", "cpython", f"cp{minor}", platform, None, "")
    markers, targets = for_python(python), accepted(python)
    if markers is None or not targets:
        raise LockError(f"{platform}: not a platform that envcheck knows", "example: --platform linux-x86_64-glibc2.36")
    packages = index(lock)
    members = default_members(lock, packages)
    choice = chosen(lock, members, extras, groups, everything, everything, no_default_groups)
    selected = select(lock, markers, choice, packages).packages if lock.selectable else None
    found = builds(files, lock, selected or (), targets)
    configured = no_build(files, lock)
    exempted = exempt(lock.format, found)
    problems = [*lock.problems, *unfit(lock, markers), *sdist_problems(lock, found, configured)]
    needless = forced(configured, selected or (), found)
    problems += forced_problems(needless, configured)
    if cooldown is not None:
        problems += too_new(lock, selected or (), targets, cooldown, now)
    return Judged(
        lock=lock,
        python=version,
        platform=platform,
        choice=choice,
        selected=selected,
        builds=(*found, *needless),
        named=all(map(_named, selected or ())),
        configured=configured,
        exempt=exempted,
        settings=settings(lock.format, exempted),
        problems=tuple(problems),
    )


def _named(package: LockedPackage) -> bool:
    """Whether the lock names the archives that a package may be installed from; a pin without hashes names none."""
    if package.source_kind not in ("registry", "url", "path"):
        return True
    return bool(package.artifacts) and all(artifact.filename is not None for artifact in package.artifacts)
