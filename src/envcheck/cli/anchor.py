"""`envcheck anchor`: write the anchors file of a lock, or tell whether it is complete and current."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from envcheck.cli import options
from envcheck.files.root import Files
from envcheck.model.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.anchors.make import Made
    from envcheck.model.anchor import Wanted
    from envcheck.model.environment import Python

_LISTED = 10
EPILOG = """examples:
  envcheck anchor --wheels wheelhouse          write envcheck.anchors beside the project's lock
  envcheck anchor --lock uv.lock --fetch       download what is not at hand, from the URLs that the lock has
  envcheck anchor --fetch --for .venv          only wheels that can be installed in that environment
  envcheck anchor --fetch --for 3.12-linux-x86_64-glibc2.36 --for 3.12-macos-arm64
  envcheck anchor --check                      in CI: has every locked package a line, and no line another hash?

A lock has wheels for every platform, and --fetch brings all of them. --for names the environments that are to be
scanned: then only wheels that fit one of them are fetched, and --check asks for a line for each of those.

The file has a line for each locked wheel that is at hand: its hash, and one digest over the files that it installs. It
is made to be committed and reviewed with the lock: whoever can change both can make both agree. Lines of an earlier
file stay where their wheels are locked still, and not at hand.

exit codes: 0 written, or complete and current; 1 not so, or an archive is not the locked one; 2 usage"""


KEYS = frozenset({"lock", "wheels", "fetch", "index-url", "except"})
"""What of a configuration is heeded here."""


def new_parser() -> options.Parser:
    """The options of `anchor`."""
    parser = options.Parser(
        prog="envcheck anchor",
        description="Write digests of the files that each locked wheel installs, for scan and verify to compare with.",
        epilog=EPILOG,
        formatter_class=options.Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("--lock", metavar="FILE", help="the lockfile (default: the project's)")
    parser.add_argument("--wheels", action="append", default=[], metavar="DIR", help="a directory that holds wheels")
    parser.add_argument("--fetch", action="store_true", help="download locked wheels that are not at hand")
    parser.add_argument("--index-url", metavar="URL", help="the index to fetch from, where the lock gives no URL")
    parser.add_argument(
        "--for",
        action="append",
        default=[],
        dest="wanted",
        metavar="TARGET",
        help="fetch and require only what fits there: an environment, an interpreter, or a platform as "
        "3.12-linux-x86_64-glibc2.36",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write (default: envcheck.anchors beside the lock)"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where it is not complete and current"
    )
    parser.add_argument(
        "--except", action="append", default=[], dest="exceptions", metavar="NAME", help="a package that needs no line"
    )
    options.add_configuration(parser)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Write or check; the exit code."""
    from envcheck.cli.configure import settle

    given = settle(new_parser(), arguments, os.environ, options.working_directory(), keys=KEYS).arguments

    from envcheck.anchors.committed import NAME, read_committed, render_committed
    from envcheck.anchors.make import check, make
    from envcheck.anchors.sources import Places
    from envcheck.cli.launch import given_environ
    from envcheck.cli.progress import bar_on_terminal
    from envcheck.cli.show import write_file
    from envcheck.locks.find import choose
    from envcheck.locks.read import read_lock

    files = Files()
    path = os.path.abspath(given.lock) if given.lock else None
    if path is None:
        path = choose(files, options.working_directory(), None, os.environ.get("HOME")).path
    if path is None:
        raise UsageError("the project here has no lock", "name it: envcheck anchor --lock FILE")
    lock = read_lock(files, path)
    target = os.path.abspath(given.output) if given.output else os.path.join(os.path.dirname(path), NAME)
    places = Places(
        wheels=tuple(os.path.abspath(one) for one in given.wheels),
        fetch=given.fetch,
        index_url=given.index_url,
        environ=tuple(sorted(given_environ(os.environ).items())),
    )
    excepted = tuple(given.exceptions)
    needed = []
    if given.wanted:
        from envcheck.locks.needed import needed as needed_by

        needed = [needed_by(lock, _python(one)) for one in given.wanted]
    if given.check:
        made = check(files, lock, read_committed(files, target), places, needed=needed)
        return _tell(made, target, excepted, checked=True)
    bar = bar_on_terminal()
    try:
        earlier = read_committed(files, target) if files.is_file(target) else None
        made = make(files, lock, places, earlier, 0, bar, needed, None if needed else _announce)
    finally:
        if bar is not None:
            bar.clear()
    write_file(target, render_committed(os.path.basename(path), made.lines))
    return _tell(made, target, excepted, checked=False)


def _python(target: str) -> Python:
    """The interpreter of an environment, or one that is described. Raises `UsageError`, `TargetError`."""
    described = re.fullmatch(r"(\d+\.\d+(?:\.\d+)?)-([a-z]+-.+)", target)
    if described is not None and not Files().exists(os.path.abspath(target)):
        from envcheck.model.environment import Python as Described

        version, platform = described.groups()
        abi = "cp{}{}".format(*version.split("."))
        return Described(version, "binary", "cpython", abi, platform, None, "")
    from envcheck.environments.discover import find_environment
    from envcheck.model.invocation import Invocation

    return find_environment(Files(), os.path.abspath(target), Invocation()).python


def _announce(wanted: Sequence[Wanted]) -> None:
    """All that a lock has may be many gigabytes."""
    sizes = [one.size for one in wanted]
    known = f" ({sum(size or 0 for size in sizes) / 1e9:,.1f} GB)" if None not in sizes else ""
    names = {one.name for one in wanted}
    packages = f"{len(names):,} packages" if len(names) > 1 else "1 package"
    text = f"fetching the locked wheels of {packages} for every platform{known}; --for TARGET takes what fits there"
    print(text, file=sys.stderr)


def _tell(made: Made, path: str, excepted: Sequence[str], checked: bool) -> int:
    """What was written, or is wrong, and the exit code."""
    from envcheck.model.inventory import normalize_name
    from envcheck.reports.text import visible

    names = {normalize_name(name) for name in excepted}
    missing = [label for label in made.missing if label.partition(" ")[0] not in names]
    serious = [problem for problem in made.problems if not problem.mild and problem.rule != "archive-odd"]
    for problem in made.problems:
        print(visible(f"{problem.rule}: {problem.message}"), file=sys.stderr)
    if missing:
        listed = ", ".join(missing[:_LISTED]) + (", …" if len(missing) > _LISTED else "")
        how = "name a directory that has them (--wheels DIR), or allow a download (--fetch)"
        count = f"{len(missing)} packages" if len(missing) > 1 else "1 package"
        print(visible(f"no wheel at hand of {count}: {listed}; {how}"), file=sys.stderr)
    wheels = f"{len(made.lines):,} wheels" if len(made.lines) != 1 else "1 wheel"
    parts = [wheels]
    if made.kept:
        parts.append(f"{made.kept:,} of them as they were in the file")
    if made.without:
        parts.append(f"{made.without:,} other locked archives of these packages (for other platforms) have no line")
    print(visible(f"{path}: {', '.join(parts)}"))
    if checked:
        return 1 if missing or serious else 0
    return 1 if serious else 0
