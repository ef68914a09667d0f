"""`envcheck lock`: what a lockfile alone tells, without an environment."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from envcheck.cli import options
from envcheck.model.errors import LockError, UsageError

EPILOG = """examples:
  envcheck lock                                the project's lock, for the Python that runs envcheck
  envcheck lock poetry.lock --python 3.12 --platform linux-x86_64-glibc2.36
  envcheck lock --cooldown 7 uv.lock           also what was uploaded in the last week
  envcheck lock --format json                  the same, and each selected package with its archives

exit codes: 0 nothing at or above --fail-on (default: medium), 1 problems, 2 usage, 3 not everything could be read"""

KEYS = frozenset({"extra", "group", "no-default-groups", "cooldown"})
"""What of a configuration is heeded here: what should be installed, and how old it should be."""


def run(arguments: Sequence[str]) -> int:
    """Read, judge, print; the exit code."""
    from envcheck import __version__
    from envcheck.checks.registry import all_rules
    from envcheck.cli.configure import settle
    from envcheck.files.root import Files
    from envcheck.locks.report import judge

    given = settle(new_parser(), arguments, os.environ, options.working_directory(), keys=KEYS).arguments
    files = Files()
    judged = judge(
        files,
        _path(given, files),
        _python(given),
        extras=tuple(given.extra),
        groups=tuple(given.group),
        everything=given.all,
        no_default_groups=given.no_default_groups,
        cooldown=options.cooldown(given),
        now=time.time(),
    )
    if given.lock_sha256 is not None and given.lock_sha256.lower() != judged.lock.sha256:
        name = os.path.basename(judged.lock.path)
        raise LockError(
            f"{name}: its sha256 is {judged.lock.sha256}", f"--lock-sha256 says {given.lock_sha256.lower()}"
        )
    severities = {rule.id: rule.severity for rule in all_rules()}
    threshold = options.severity(given.fail_on)
    counted = [severities[problem.rule] for problem in judged.problems]
    failed = threshold is not None and any(severity >= threshold for severity in counted)
    exit_code = 1 if failed else 3 if files.not_seen else 0
    if given.format == "json":
        from envcheck.reports import lock_json

        text = lock_json.render(judged, severities, files.not_seen, version=__version__, exit_code=exit_code)
        sys.stdout.write(text)
    else:
        from envcheck.cli.show import terminal_width
        from envcheck.reports.lock import write_lock

        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        width = terminal_width()
        write_lock(judged, severities, files.not_seen, sys.stdout, width=width, colour=colour)
    sys.stdout.flush()
    return exit_code


def new_parser() -> options.Parser:
    """The options of `lock`."""
    parser = options.Parser(
        prog="envcheck lock",
        description="Tell what a lockfile is not good for, and what installing from it would run.",
        epilog=EPILOG,
        formatter_class=options.Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("lock", nargs="?", metavar="FILE", help="the lockfile (default: the project's)")
    parser.add_argument("--python", metavar="X.Y", help="the Python to select for (default: this one)")
    parser.add_argument("--platform", metavar="NAME", help="such as linux-x86_64-glibc2.36, macos-arm64, windows-amd64")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME", help="an extra to select")
    parser.add_argument("--group", action="append", default=[], metavar="NAME", help="a dependency group to select")
    parser.add_argument("--no-default-groups", action="store_true", help="not the groups that are taken by default")
    parser.add_argument("--all", action="store_true", help="every extra and group")
    parser.add_argument("--cooldown", type=int, metavar="DAYS", help="find archives that were uploaded fewer days ago")
    parser.add_argument("--lock-sha256", metavar="HEX", help="refuse a lock with another sha256")
    parser.add_argument(
        "--format",
        choices=("terminal", "json"),
        default="terminal",
        metavar="FORMAT",
        help="terminal or json (default: terminal)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("info", "low", "medium", "high", "critical", "never"),
        default="medium",
        metavar="SEVERITY",
        help="exit 1 at or above: info, low, medium, high, critical or never",
    )
    options.add_configuration(parser)
    return parser


def _path(given: argparse.Namespace, files: object) -> str:
    from envcheck.files.root import Files
    from envcheck.locks.find import choose

    if given.lock:
        return os.path.abspath(str(given.lock))
    assert isinstance(files, Files)
    found = choose(files, options.working_directory(), None, os.environ.get("HOME"))
    if found.path is None:
        raise UsageError("the project here has no lock", "name it: envcheck lock FILE")
    return found.path


def _python(given: argparse.Namespace) -> tuple[str, str]:
    """Version and platform, as a scan names them; those of this process where none are given."""
    import platform

    version = given.python or "{}.{}.{}".format(*sys.version_info[:3])
    parts = version.split(".")
    if len(parts) not in (2, 3) or not all(part.isdecimal() and len(part) < 4 for part in parts):
        raise UsageError(f"--python {version}: expected a version", "example: --python 3.12")
    if given.platform:
        return version, str(given.platform)
    libc, number = platform.libc_ver() if sys.platform.startswith("linux") else ("", "")
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    suffix = f"-{libc}{number}" if libc == "glibc" else ""
    return version, f"{system}-{platform.machine().lower()}{suffix}"
