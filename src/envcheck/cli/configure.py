"""Finds configuration, decides what of it may be believed, and gives it to the command line's options.

Three sources, the later ones win: the user's own file; that of the project one stands in; the command line.
``--config`` names one file in place of the first two. A project's file may have been written by anybody whose
repository was cloned: it names nothing that envcheck would start, fetch from or write to. A file that lies inside what
is scanned may only tighten.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Mapping, Sequence

from envcheck.files.root import Files, Unreadable
from envcheck.files.upwards import upwards
from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envcheck.cli.options import Parser
    from envcheck.model.policy import Baseline, Policy, Waiver
    from envcheck.policy.configuration import Configuration, Kind, Setting

NAMES = ("envcheck.toml", "pyproject.toml")
"""A file of envcheck's own comes before a table in the project's."""
NOT_HERE = frozenset({"help", "config", "no_config", "targets"})
"""What only a command line can say."""
NOT_IN_A_PROJECT = frozenset({"trusted-python", "output", "fetch", "index-url", "allow-self"})
"""What would have envcheck start, ask or write something, or believe itself: not in a file that was found."""
TIGHTENING = frozenset({"fail-on", "cooldown", "deep"})
_PATHS = ("FILE", "PATH", "DIR")


class Source(NamedTuple):
    """A configuration, and what it may do."""

    configuration: Configuration
    kind: str
    """``user``, ``project``, ``named`` or ``scanned``: a file inside what is scanned, which may only tighten."""


class Settled(NamedTuple):
    """What is in force: the options, the policy, and where each value came from."""

    arguments: argparse.Namespace
    policy: Policy | None
    origins: Mapping[str, str]
    sources: tuple[Source, ...]

    @property
    def files(self) -> str | None:
        """The files, for the report."""
        return ", ".join(source.configuration.path for source in self.sources) or None


def all_settings() -> dict[str, Setting]:
    """Every key that a file may have: the options of `scan` and `verify`, by their long names."""
    from envcheck.cli import scan, verify

    return {**settings_of(verify.new_parser()), **settings_of(scan.new_parser())}


def settings_of(parser: Parser) -> dict[str, Setting]:
    """The keys that one command's options stand for."""
    from envcheck.policy.configuration import Setting

    found = {}
    for action in parser._actions:
        if action.dest in NOT_HERE or not action.option_strings:
            continue
        key = next(name for name in action.option_strings if name.startswith("--")).lstrip("-")
        kind: Kind = "text"
        if isinstance(action, argparse._StoreTrueAction):
            kind = "switch"
        elif isinstance(action, argparse._AppendAction):
            kind = "list"
        elif action.type is int:
            kind = "number"
        elif action.choices is not None:
            kind = "choice"
        choices = tuple(map(str, action.choices or ()))
        found[key] = Setting(key, kind, action.help or "", choices, action.metavar in _PATHS)
    return found


def settle(
    parser: Parser,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    directory: str,
    heed_baseline: bool = True,
) -> Settled:
    """The options in force for a command line. Raises `UsageError`."""
    given = parser.parse(arguments)
    sources = tuple(_sources(given, environ, directory))
    origins: dict[str, str] = {}
    for source in sources:
        _apply(parser, source, origins)
    merged = parser.parse(arguments) if sources else given
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--") and _typed(arguments, option):
                origins[option[2:]] = "command line"
    _tighten(merged, sources, origins)
    return Settled(merged, _policy(sources, merged, heed_baseline), origins, sources)


def _typed(arguments: Sequence[str], option: str) -> bool:
    short = "-o" if option == "--output" else None
    return any(
        word == option or word.startswith(f"{option}=") or (short is not None and word.startswith(short))
        for word in arguments
    )


def _sources(given: argparse.Namespace, environ: Mapping[str, str], directory: str) -> list[Source]:
    if given.no_config or (getattr(given, "root", None) and not given.config):
        if given.config:
            raise UsageError("--config and --no-config: one names a file, the other wants none")
        return []
    files = Files()
    if given.config:
        path = os.path.abspath(given.config)
        found = _read(files, path)
        if found is None:
            raise UsageError(f"--config {path}: has no [tool.envcheck]", "name a file that has")
        inside = _inside(files, given, path)
        if inside is not None:
            raise UsageError(f"--config {path}: lies inside {inside}, which is scanned", "keep it somewhere else")
        return [Source(found, "named")]
    sources = []
    user = user_file(environ, sys.platform)
    if user is not None and files.lstat(user) is not None:
        found = _read(files, user)
        if found is not None:
            sources.append(Source(found, "user"))
    project = project_file(files, directory, environ.get("HOME"))
    if project is not None and project != user:
        inside = _inside(files, given, project)
        if inside is not None:
            sources += _scanned(files, project, inside)
        elif _is_anybodys(files, project):
            print(
                f"envcheck: {project} is not heeded: anybody may write it; name it with --config if you trust it",
                file=sys.stderr,
            )
        else:
            found = _read(files, project)
            if found is not None:
                _refuse_in_a_project(found)
                sources.append(Source(found, "project"))
    return sources


def user_file(environ: Mapping[str, str], platform: str) -> str | None:
    """The user's own configuration, where `platformdirs` has it; without loading that for a file that is not there."""
    home = environ.get("HOME", "")
    if platform == "win32":
        from platformdirs import user_config_path

        return str(user_config_path("envcheck", appauthor=False) / "envcheck.toml")
    if platform == "darwin":
        base = os.path.join(home, "Library", "Application Support") if os.path.isabs(home) else ""
    else:
        base = environ.get("XDG_CONFIG_HOME", "").strip()
        if not base and os.path.isabs(home):
            base = os.path.join(home, ".config")
    return os.path.join(base, "envcheck", "envcheck.toml") if os.path.isabs(base) else None


def project_file(files: Files, directory: str, home: str | None) -> str | None:
    """The configuration of the project that one stands in: in the nearest directory upwards that has one."""
    for place in upwards(files, directory, home):
        for name in NAMES:
            path = os.path.join(place, name)
            if files.lstat(path) is None:
                continue
            if name == "envcheck.toml" or _has_table(_bytes(files, path)):
                return path
    return None


def _is_anybodys(files: Files, path: str) -> bool:
    """Whether every user of the machine may write a file, or put one in its place (as in ``/tmp``)."""
    for place in (path, os.path.dirname(path)):
        found = files.stat(place)
        if found is None or found.st_mode & stat.S_IWOTH:
            return True
    return False


def _has_table(data: bytes) -> bool:
    """Whether a ``pyproject.toml`` has a header ``[tool.envcheck…``; no parser is loaded to find that it has none."""
    if b"envcheck" not in data:
        return False
    import re

    return re.search(rb"""^\s*\[+\s*["']?tool["']?\s*\.\s*["']?envcheck\b""", data, re.M) is not None


def _bytes(files: Files, path: str) -> bytes:
    try:
        return files.read(path, files.limits.small)
    except Unreadable as error:
        raise UsageError(f"{path}: {error.why}", "correct it, or scan with --no-config") from None


def _read(files: Files, path: str) -> Configuration | None:
    from envcheck.checks.registry import all_rules
    from envcheck.policy.configuration import parse, read

    table = parse(_bytes(files, path), path)
    if table is None:
        return None
    return read(table, path, all_settings(), [rule.id for rule in all_rules()])


def _inside(files: Files, given: argparse.Namespace, path: str) -> str | None:
    """The scanned environment that a file lies in, as it is spelt or as it resolves; ``None`` for none."""
    from envcheck.cli.options import invocation, targets
    from envcheck.environments.discover import find_environment

    model = invocation(given)
    spellings = {os.path.normpath(path)}
    try:
        spellings.add(files.realpath(path))
    except Unreadable:
        return path
    for target in targets(given, files, model):
        environment = find_environment(Files(), target, model)
        own = [environment.path, *(site.path for site in environment.own_site_dirs)]
        for prefix in own:
            resolved = {os.path.normpath(prefix)}
            try:
                resolved.add(files.realpath(prefix))
            except Unreadable:
                continue
            if any(_below(one, each) for one in spellings for each in resolved):
                return environment.path
    return None


def _below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _scanned(files: Files, path: str, inside: str) -> list[Source]:
    """A configuration inside what is scanned: what it cannot do, or cannot say, is said and left out."""
    from envcheck.reports.text import visible

    try:
        found = _read(files, path)
    except UsageError as error:
        print(f"envcheck: {visible(path)} is not heeded: {visible(error.message)}", file=sys.stderr)
        return []
    if found is None:
        return []
    left_out = [key for key in found.values if key not in TIGHTENING]
    left_out += ["waivers"] * bool(found.waivers) + ["expected"] * (found.expected is not None)
    left_out += [f"rules.{rule}" for rule in found.off]
    if left_out:
        print(
            f"envcheck: {visible(path)} lies inside what is scanned and may only tighten: "
            f"{visible(', '.join(left_out))} not heeded",
            file=sys.stderr,
        )
    values = {key: value for key, value in found.values.items() if key in TIGHTENING}
    return [Source(found._replace(values=values, off=(), waivers=(), expected=None), "scanned")]


def _refuse_in_a_project(found: Configuration) -> None:
    for key in found.values:
        if key in NOT_IN_A_PROJECT:
            raise UsageError(
                f"{found.path}: {key}: not in a project's configuration, which anybody may have written",
                "give it on the command line, in your own configuration, or in a file that --config names",
            )


def _apply(parser: Parser, source: Source, origins: dict[str, str]) -> None:
    """A configuration's values as the parser's defaults."""
    if source.kind == "scanned":
        return
    configuration = source.configuration
    known = settings_of(parser)
    directory = os.path.dirname(configuration.path)
    for key, value in configuration.values.items():
        if key not in known:  # the other command's
            continue
        placed = _placed(known[key], value, directory)
        parser.set_defaults(**{_destination(parser, key): placed})
        origins[key] = configuration.path


def _placed(setting: Setting, value: Any, directory: str) -> Any:
    """Paths of a file begin where the file lies."""
    if setting.key == "output":
        return [_placed_output(one, directory) for one in value]
    if not setting.is_path:
        return value
    if isinstance(value, list):
        return [os.path.join(directory, one) for one in value]
    return os.path.join(directory, value)


def _placed_output(text: str, directory: str) -> str:
    form, colon, path = text.partition(":")
    return f"{form}:{os.path.join(directory, path)}" if colon else os.path.join(directory, text)


def _destination(parser: Parser, key: str) -> str:
    return next(action.dest for action in parser._actions if f"--{key}" in action.option_strings)


def _tighten(merged: argparse.Namespace, sources: Sequence[Source], origins: dict[str, str]) -> None:
    """What a file inside the target asks for, where that is stricter."""
    for source in sources:
        if source.kind != "scanned":
            continue
        values, path = source.configuration.values, source.configuration.path
        if values.get("deep") and not merged.deep and not getattr(merged, "startup_only", False):
            merged.deep = True
            origins["deep"] = path
        wanted = values.get("fail-on")
        if wanted not in (None, "never"):
            # ``None``: the command's own, which is never laxer than this.
            current = merged.fail_on or "high"
            if current == "never" or Severity[wanted.upper()] < Severity[current.upper()]:
                merged.fail_on = wanted
                origins["fail-on"] = path
        days = values.get("cooldown")
        if days is not None and 0 <= days <= 36_500 and days > (merged.cooldown or 0):
            merged.cooldown = days
            origins["cooldown"] = path


def _policy(sources: Sequence[Source], merged: argparse.Namespace, heed_baseline: bool) -> Policy | None:
    """The decisions of all files together; a later file's word on a rule is the last."""
    severities: dict[str, Severity] = {}
    raised: dict[str, Severity] = {}
    off: dict[str, str] = {}
    waivers: list[Waiver] = []
    expected = None
    for source in sources:
        configuration = source.configuration
        if source.kind == "scanned":
            raised.update(configuration.severities)
            continue
        for rule, severity in configuration.severities.items():
            severities[rule] = severity
            off.pop(rule, None)
        off.update(dict.fromkeys(configuration.off, configuration.path))
        waivers += configuration.waivers
        if configuration.expected is not None:
            expected = (expected or ()) + configuration.expected
    baseline = None
    if heed_baseline and merged.baseline:
        baseline = _baseline(os.path.abspath(merged.baseline), merged)
    if not (severities or raised or off or waivers or baseline) and expected is None:
        return None
    from envcheck.model.policy import Policy

    return Policy(severities, off, raised, tuple(waivers), expected, baseline)


def _baseline(path: str, merged: argparse.Namespace) -> Baseline:
    from envcheck.policy.baseline import read_baseline

    files = Files()
    inside = _inside(files, merged, path)
    if inside is not None:
        raise UsageError(f"--baseline {path}: lies inside {inside}, which is scanned", "keep it somewhere else")
    try:
        data = files.read(path, files.limits.lock)
    except Unreadable as error:
        raise UsageError(f"--baseline {path}: {error.why}", "write it: envcheck baseline write") from None
    return read_baseline(data, path)
