"""The options that `scan` and `verify` share, and what they mean to the library."""

from __future__ import annotations

import argparse
import os
import posixpath
import re
import sys
from collections.abc import Sequence

from envcheck.cli.launch import given_environ, modelled_environ
from envcheck.cli.progress import Bar, bar_on_terminal
from envcheck.files.root import Files
from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NoReturn
from envcheck.model.report import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.cli.configure import Settled

FORMATS = ("terminal", "json", "ndjson", "sarif", "github", "html")
ENDINGS = {".json": "json", ".ndjson": "ndjson", ".sarif": "sarif", ".html": "html"}
_X_VALUES = {"utf8": ("", "0", "1"), "frozen_modules": ("", "on", "off")}
"""Options of ``-X`` with the values that python accepts; others take any."""
_HASH_CHECKS = frozenset(f"--check-hash-based-pycs={value}" for value in ("default", "always", "never"))
_FLAG_LETTERS = frozenset("IsSEPOBbdiqRuvx")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as COLUMNS tells, else 80 columns.

    Left to itself, argparse imports ``shutil``, and with it three compression libraries, for each argument added.
    """

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        super().__init__(prog, width=int(columns) if columns.isdecimal() and int(columns) > 20 else 80)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ours: one line, exit 2."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and exiting."""
        raise UsageError(message, f"{self.prog} --help lists the options")

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The values; argparse makes ``[]`` of an option's value ``--``, which no option here takes."""
        given = self.parse_args(arguments)
        for name, value in vars(given).items():
            if name == "targets" or not isinstance(value, list):
                continue
            if [] in value or (value == [] and self.get_default(name) != []):
                self.error(f"--{name.replace('_', '-')}: -- is no value")
        return given


def new_parser(command: str, description: str, epilog: str) -> Parser:
    """A parser with the options that every scanning command has."""
    parser = Parser(
        prog=f"envcheck {command}",
        description=description,
        epilog=epilog,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a venv, an interpreter's path, a prefix or a site directory (default: the project's .venv, else "
        "$VIRTUAL_ENV, else python3 on PATH)",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="the targets' machine is mounted at DIR (a disk image, an unpacked container): every path is that "
        "machine's, and nothing outside DIR is opened",
    )
    lock = parser.add_argument_group("lock")
    lock.add_argument("--lock", metavar="FILE", help="the lockfile (default: the project's; never one in the target)")
    lock.add_argument("--lock-sha256", metavar="HEX", help="refuse a lock with another sha256")
    lock.add_argument("--extra", action="append", default=[], metavar="NAME", help="an extra that should be installed")
    lock.add_argument("--group", action="append", default=[], metavar="NAME", help="a dependency group, likewise")
    lock.add_argument("--all-extras", action="store_true", help="every extra that the lock knows")
    lock.add_argument("--all-groups", action="store_true", help="every dependency group that the lock knows")
    lock.add_argument(
        "--no-default-groups", action="store_true", help="not the groups that are installed when none is named (dev)"
    )
    lock.add_argument(
        "--ignore", action="append", default=[], metavar="NAME", help="a distribution that the lock need not know"
    )
    lock.add_argument(
        "--cooldown", type=int, metavar="DAYS", help="find locked archives that were uploaded fewer days ago"
    )
    anchors = parser.add_argument_group("anchors: the bytes of locked wheels to compare installed files with")
    anchors.add_argument(
        "--wheels", action="append", default=[], metavar="DIR", help="a directory that holds locked wheels"
    )
    anchors.add_argument(
        "--anchors", metavar="FILE", help="the anchors file (default: envcheck.anchors beside the lock)"
    )
    anchors.add_argument(
        "--fetch", action="store_true", help="download locked wheels that are not at hand, and keep them in a cache"
    )
    anchors.add_argument("--index-url", metavar="URL", help="the index to fetch from, where the lock gives no URL")
    anchors.add_argument(
        "--diff",
        metavar="PATH",
        help="also show an installed file beside what its locked wheel has (as in requests/sessions.py)",
    )
    base = parser.add_argument_group("base")
    base.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="FILE",
        help="digests of a trusted installation, to compare the base with (envcheck reference writes them)",
    )
    attacks = parser.add_argument_group("known attacks")
    attacks.add_argument(
        "--indicators",
        action="append",
        default=[],
        metavar="FILE",
        help="more to look for: sha256 digests, paths, globs, file names, name==version, one a line, or JSON",
    )
    model = parser.add_argument_group("the start of Python that is modelled")
    model.add_argument(
        "--python-flag",
        action="append",
        default=[],
        metavar="FLAG",
        help="as given to python, such as --python-flag=-I (-I -s -S -E -P -O -OO -W… -X…)",
    )
    model.add_argument("--environ", action="append", default=[], metavar="NAME=VALUE", help="a variable to model")
    model.add_argument("--no-inherit-environ", action="store_true", help="model only the variables given by --environ")
    bytecode = parser.add_argument_group("bytecode that runs in place of its source")
    bytecode.add_argument(
        "--deep",
        action="store_true",
        help="compare all bytecode with its source, not only what runs at startup",
    )
    bytecode.add_argument(
        "--trusted-python",
        action="append",
        default=[],
        metavar="PATH",
        help="an interpreter that may be started to compile sources again (default: only the one that runs envcheck, "
        "if it is of that version and no part of a target)",
    )
    report = parser.add_argument_group("report")
    report.add_argument(
        "--format",
        choices=FORMATS,
        default="terminal",
        metavar="FORMAT",
        help=f"what is printed: {', '.join(FORMATS[:-1])} or {FORMATS[-1]} (default: terminal)",
    )
    report.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FORMAT:FILE",
        help="also write a report to a file; .json, .ndjson, .sarif and .html tell their own format",
    )
    policy = parser.add_argument_group("policy")
    add_configuration(policy)
    policy.add_argument(
        "--baseline",
        metavar="FILE",
        help="what is accepted already (envcheck baseline writes it): only what is new counts",
    )
    report.add_argument("--show-all", action="store_true", help="show every place and all code in the terminal report")
    report.add_argument(
        "--fail-on",
        choices=("info", "low", "medium", "high", "critical", "never"),
        metavar="SEVERITY",
        help="exit 1 at or above: info, low, medium, high, critical or never",
    )
    return parser


def add_configuration(group: argparse._ActionsContainer) -> None:
    """The options that say which configuration is heeded."""
    group.add_argument(
        "--config", metavar="FILE", help="the configuration, in place of the user's own and that of the project here"
    )
    group.add_argument("--no-config", action="store_true", help="heed no configuration file")


def severity(text: str | None) -> Severity | None:
    """The threshold that ``--fail-on`` names; ``None`` for never."""
    return None if text in (None, "never") else Severity[str(text).upper()]


def invocation(arguments: argparse.Namespace) -> Invocation:
    """The start of Python to model."""
    environ = {} if arguments.no_inherit_environ or arguments.root else modelled_environ(os.environ)
    for pair in arguments.environ:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"--environ {pair}: expected NAME=VALUE", "example: --environ PYTHONPATH=/srv/lib")
        environ[name] = value
    for flag in arguments.python_flag:
        _check_flag(flag)
    if arguments.root:
        # Nothing of this machine is modelled: not the user either.
        return Invocation(tuple(arguments.python_flag), environ, directory="/")
    uids = (os.getuid(), os.geteuid()) if hasattr(os, "getuid") else None
    gids = (os.getgid(), os.getegid()) if hasattr(os, "getgid") else None
    return Invocation(tuple(arguments.python_flag), environ, uids, gids, working_directory())


def _check_flag(flag: str) -> None:
    """Refuse what python itself would refuse, or what changes nothing about how it starts."""
    kind, value = flag[:2], flag[2:].strip()
    if kind in ("-X", "-W"):
        what = "an option" if kind == "-X" else "a filter"
        if not value:
            raise UsageError(f"--python-flag={flag}: {kind} without {what}", f"write it in one: --python-flag={kind}…")
        name, _, chosen = value.partition("=")
        allowed = _X_VALUES.get(name) if kind == "-X" else None
        if allowed is not None and chosen not in allowed:
            words = " or ".join(f"-X {name}={one}" for one in allowed if one)
            raise UsageError(f"--python-flag={flag}: python does not start with it", f"expected {words}")
        return
    if flag in _HASH_CHECKS:
        return
    if len(flag) < 2 or flag[0] != "-" or not all(letter in _FLAG_LETTERS for letter in flag[1:]):
        raise UsageError(
            f"--python-flag={flag}: not a flag of python's that changes how it starts",
            "expected one of -I -s -S -E -P -O -OO -W… -X…, such as --python-flag=-I",
        )


def working_directory() -> str:
    """This process's own directory, as the shell spells it where that is true."""
    try:
        return os.getcwd()
    except OSError:
        raise UsageError("the current directory no longer exists", "change to one that does") from None


def outputs(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """``(format, absolute path)`` of each ``-o``."""
    found = []
    for text in arguments.output:
        form, colon, path = text.partition(":")
        if not colon or form not in FORMATS:
            form, path = ENDINGS.get(os.path.splitext(text)[1], ""), text
        if not form or not path:
            raise UsageError(f"-o {text}: which format?", f"expected FORMAT:FILE with one of {', '.join(FORMATS)}")
        found.append((form, os.path.abspath(path)))
    return found


def targets(arguments: argparse.Namespace, files: Files, model: Invocation) -> Sequence[str]:
    """Absolute paths of what to scan."""
    if arguments.root:
        return [in_root(files, target) for target in arguments.targets or _nothing_named(arguments.root)]
    if arguments.targets:
        return [os.path.abspath(target) for target in arguments.targets]
    from envcheck.environments.discover import default_target

    # Which environment is looked for is this process's matter, whatever start of it is modelled.
    return [default_target(files, working_directory(), {**modelled_environ(os.environ), **model.environ})]


def machine(arguments: argparse.Namespace) -> Files:
    """The machine that the targets are of: this one, or the one that is mounted where ``--root`` says."""
    if not arguments.root:
        return Files()
    root = os.path.abspath(arguments.root)
    if not Files().is_dir(root):
        raise UsageError(f"--root {arguments.root}: no directory", "mount the image, or unpack it, and name that place")
    return Files(root)


def in_root(files: Files, target: str) -> str:
    """A target as its own machine names it: ``/opt/app``, ``C:/app``, or typed from here with the root before it."""
    path = target
    if re.match(r"[A-Za-z]:[\\/]", path):
        # The root is the drive.
        path = path[2:].replace("\\", "/")
    path = posixpath.normpath("/" + path.lstrip("/"))
    if files.root is None or files.lstat(path) is not None:
        return path
    typed = os.path.abspath(target)
    inside = os.path.relpath(typed, files.root)
    return path if inside.startswith("..") else posixpath.normpath("/" + inside.replace(os.sep, "/"))


def _nothing_named(root: str) -> NoReturn:
    raise UsageError(
        f"--root {root}: name what to scan in it",
        f"paths are that machine's: envcheck scan --root {root} /usr/bin/python3 /srv/app/.venv",
    )


def lock_for(arguments: argparse.Namespace, files: Files, target: str, required: bool) -> str | None:
    """The lock to compare one target with, or ``None``; what was passed over is said on standard error."""
    if arguments.lock:
        return os.path.abspath(str(arguments.lock))
    if getattr(arguments, "no_lock", False) or getattr(arguments, "startup_only", False):
        return None
    if arguments.root:
        if required:
            raise UsageError("verify needs a lock, and none is looked for in a root", "name it: --lock FILE")
        # Whoever wrote the root may have written a lock there too.
        return None
    from envcheck.locks.find import choose
    from envcheck.reports.text import visible

    found = choose(files, working_directory(), target, os.environ.get("HOME"))
    if found.note:
        print(f"envcheck: {visible(found.note)}", file=sys.stderr)
    if found.path is None and required:
        raise UsageError("verify needs a lock, and the project here has none", "name it: envcheck verify --lock FILE")
    return found.path


def scan_options(
    arguments: argparse.Namespace,
    model: Invocation,
    lock: str | None,
    verify: bool,
    bar: Bar | None,
    settled: Settled | None = None,
) -> Options:
    """The library's options for one target."""
    if arguments.deep and getattr(arguments, "startup_only", False):
        raise UsageError("--deep and --startup-only: one looks at everything, the other only at what starts")
    selection = (arguments.extra, arguments.group, arguments.all_extras, arguments.all_groups)
    return Options(
        invocation=model,
        root=os.path.abspath(arguments.root) if arguments.root else None,
        startup_only=getattr(arguments, "startup_only", False),
        lock=lock,
        lock_sha256=arguments.lock_sha256,
        extras=tuple(arguments.extra),
        groups=tuple(arguments.group),
        all_extras=arguments.all_extras,
        all_groups=arguments.all_groups,
        no_default_groups=arguments.no_default_groups,
        selection_given=any(selection) or arguments.no_default_groups,
        ignore=tuple(arguments.ignore),
        references=tuple(os.path.abspath(path) for path in arguments.reference),
        wheels=tuple(os.path.abspath(path) for path in arguments.wheels),
        anchors=os.path.abspath(arguments.anchors) if arguments.anchors else None,
        fetch=arguments.fetch,
        diff=_diff(arguments),
        index_url=arguments.index_url,
        caches=tuple(sorted(given_environ(os.environ).items())),
        require_anchors=getattr(arguments, "require_anchors", False),
        excepted=tuple(getattr(arguments, "exceptions", ())),
        indicators=tuple(os.path.abspath(path) for path in arguments.indicators),
        cooldown=cooldown(arguments),
        fail_on=severity(arguments.fail_on),
        fail_on_drift=Severity.LOW if verify else None,
        allow_self=arguments.allow_self if verify else True,
        deep=arguments.deep,
        trusted_pythons=tuple(arguments.trusted_python),
        policy=None if settled is None else settled.policy,
        config=None if settled is None else settled.files,
        progress=bar,
    )


def by_account(
    files: Files, named: Sequence[str], chosen: Sequence[Options]
) -> tuple[Sequence[str], Sequence[Options]]:
    """Each target once for each of the machine's users for whom something else runs there."""
    from envcheck.environments.accounts import views

    pairs = [
        (target, options._replace(invocation=view))
        for target, options in zip(named, chosen, strict=True)
        for view in views(files, target, options.invocation)
    ]
    return [target for target, _ in pairs], [options for _, options in pairs]


def _diff(arguments: argparse.Namespace) -> str | None:
    """The path of ``--diff``: one that exists from here is made absolute, others are the environment's."""
    path: str | None = arguments.diff
    if path is not None and not path.rstrip("/"):
        raise UsageError(f"--diff {path}: expected the path of a file", "example: --diff requests/sessions.py")
    if path is None or os.path.isabs(path):
        return path
    here = os.path.normpath(os.path.join(working_directory(), path))
    return here if Files().is_file(here) else os.path.normpath(path)


def cooldown(arguments: argparse.Namespace) -> int | None:
    """The days of ``--cooldown``."""
    days: int | None = arguments.cooldown
    if days is not None and not 0 <= days <= 36_500:
        raise UsageError(f"--cooldown {days}: expected a number of days", "example: --cooldown 7")
    return days


def scan_and_deliver(parser: Parser, words: Sequence[str], verify: bool = False) -> int:
    """What `scan` and `verify` do; the exit code."""
    from envcheck.cli.configure import settle
    from envcheck.cli.show import Stream, deliver, refuse_missing_extras
    from envcheck.scanner import scan_targets

    settled = settle(parser, words, os.environ, working_directory())
    arguments = settled.arguments
    arguments.fail_on = arguments.fail_on or "high"
    files = machine(arguments)
    model = invocation(arguments)
    wanted = outputs(arguments)
    refuse_missing_extras([arguments.format, *(form for form, _ in wanted)])
    named = targets(arguments, files, model)
    bar = bar_on_terminal()
    chosen: Sequence[Options] = [
        scan_options(arguments, model, lock_for(arguments, files, target, verify), verify, bar, settled)
        for target in named
    ]
    if files.root is not None:
        named, chosen = by_account(files, named, chosen)
    stream = Stream(chosen[0]) if arguments.format == "ndjson" else None
    try:
        report = scan_targets(named, chosen, None if stream is None else stream.environment)
    finally:
        if bar is not None:
            bar.clear()
    if stream is not None:
        stream.end(report)
    code = deliver(report, arguments.format, wanted, arguments.show_all, getattr(arguments, "plan", False))
    if arguments.format == "terminal":
        from envcheck.reports.difference import lines

        for environment in report.environments:
            for line in lines(environment.difference) if environment.difference is not None else ():
                print(line)
    if verify and arguments.format == "terminal":
        from envcheck.reports.text import visible
        from envcheck.reports.verified import last_lines

        for environment in report.environments:
            for line in last_lines(report, environment):
                print(visible(line))
    return code
