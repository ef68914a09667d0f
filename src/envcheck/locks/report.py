"""A lockfile and a target's version and platform into what the lock alone tells, in lines and problems."""

from envcheck.files.root import Files
from envcheck.locks.builds import Build, builds, no_build, sdist_problems
from envcheck.locks.cooldown import too_new
from envcheck.locks.fitness import unfit
from envcheck.locks.markers import for_python
from envcheck.locks.read import read_lock
from envcheck.locks.select import chosen, default_members, index, select
from envcheck.locks.targets import accepted
from envcheck.model.environment import Python
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock, LockProblem
from envcheck.model.nouns import NamedTuple

_STATES = {
    "committed": "as HEAD has it",
    "modified": "differs from HEAD",
    "untracked": "not in HEAD",
    "none": "in no Git repository",
    "unknown": "unknown",
}


class Judged(NamedTuple):
    """What to print: sentences about the lock, and its problems."""

    lock: Lock
    lines: tuple[str, ...]
    problems: tuple[LockProblem, ...]
    builds: tuple[Build, ...]


def judge(
    files: Files,
    path: str,
    target: tuple[str, str],
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    everything: bool = False,
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
    choice = chosen(lock, default_members(lock, packages), extras, groups, everything, everything)
    selected = select(lock, markers, choice, packages).packages if lock.selectable else ()
    found = builds(files, lock, selected, targets)
    configured = no_build(files, lock)
    problems = [*lock.problems, *unfit(lock, markers)]
    problems += sdist_problems(lock, [build for build in found if not build.local], configured)
    if cooldown is not None:
        problems += too_new(lock, selected, targets, cooldown, now)
    state = lock.repository
    why = f" ({state.why})" if state.why else ""
    named = [f"extras {', '.join(sorted(choice.extras))}"] if choice.extras else []
    named += [f"groups {', '.join(sorted(choice.groups))}"] if choice.groups else []
    lines = [
        f"{path}: {lock.format}, {len(lock.packages)} packages",
        f"  sha256      {lock.sha256}",
        f"  repository  {_STATES[state.state]}{why}",
        f"  selected    {len(selected)} packages for Python {version} on {platform}, {'; '.join(named) or 'no extras'}",
        *_build_lines(lock, found, configured.everywhere, configured.where),
    ]
    return Judged(lock, tuple(lines), tuple(problems), found)


def _build_lines(lock: Lock, found: tuple[Build, ...], everywhere: bool, where: str | None) -> list[str]:
    """What installing runs, whether that is forbidden, and the settings that would forbid all else."""
    lines = [f"  builds      {build.package.name or build.package.source}: {build.why}" for build in found]
    if not lines:
        bare = any(a.filename is None for package in lock.packages for a in package.artifacts)
        lines.append(f"  builds      {'unknown: the lock does not name its archives' if bare else 'nothing'}")
    lines.append(f"  no builds   {where if everywhere or where else 'not configured'}")
    if not everywhere:
        names = sorted({build.package.name for build in found if build.package.source_kind != "editable"} - {""})
        if lock.format == "uv":
            exempt = ", ".join(f'"{name}"' for name in names)
            lines.append(
                f"  configure   [tool.uv] no-build = true{f', no-binary-package = [{exempt}]' if names else ''}"
            )
        else:
            exempt = f" --no-binary {','.join(names)}" if names else ""
            lines.append(f"  configure   --only-binary :all:{exempt}")
    return lines
