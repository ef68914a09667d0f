"""Gives what configuration files say to the command line's options: what is in force, and where it came from.

The later source wins: the user's own file, that of the project one stands in, the command line. Lists are put together.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Mapping, Sequence

from envcheck.cli.settings import settings_of
from envcheck.cli.sources import Source, inside, sources_of
from envcheck.files.root import Files, Unreadable
from envcheck.model.errors import UsageError
from envcheck.model.finding import Severity
from envcheck.model.nouns import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from envcheck.cli.options import Parser
    from envcheck.model.policy import Baseline, Policy, Waiver
    from envcheck.policy.configuration import Setting


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


def settle(
    parser: Parser,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    directory: str,
    heed_baseline: bool = True,
    keys: Collection[str] | None = None,
) -> Settled:
    """The options in force for a command line; ``keys`` are those that the command heeds (all). Raises `UsageError`."""
    given = parser.parse(arguments)
    sources = tuple(sources_of(given, environ, directory))
    origins: dict[str, str] = {}
    for source in sources:
        _apply(parser, source, origins, keys)
    merged = parser.parse(arguments) if sources else given
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--") and _typed(arguments, option):
                key = option[2:]
                before = f"{origins[key]}, " if key in origins and isinstance(action, argparse._AppendAction) else ""
                origins[key] = f"{before}command line"
    _tighten(merged, sources, origins)
    return Settled(merged, _policy(sources, merged, heed_baseline), origins, sources)


def _typed(arguments: Sequence[str], option: str) -> bool:
    short = "-o" if option == "--output" else None
    return any(
        word == option or word.startswith(f"{option}=") or (short is not None and word.startswith(short))
        for word in arguments
    )


def _apply(parser: Parser, source: Source, origins: dict[str, str], keys: Collection[str] | None) -> None:
    """A configuration's values as the parser's defaults; those of lists behind what an earlier file gave."""
    if source.kind == "scanned":
        return
    configuration = source.configuration
    known = settings_of(parser)
    directory = os.path.dirname(configuration.path)
    for key, value in configuration.values.items():
        if key not in known or (keys is not None and key not in keys):  # another command's
            continue
        destination, origin = _destination(parser, key), configuration.path
        placed = _placed(known[key], value, directory)
        if isinstance(placed, list) and key in origins:
            placed = [*parser.get_default(destination), *placed]
            origin = f"{origins[key]}, {origin}"
        parser.set_defaults(**{destination: placed})
        origins[key] = origin


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
    if heed_baseline and getattr(merged, "baseline", None):
        baseline = _baseline(os.path.abspath(merged.baseline), merged)
    if not (severities or raised or off or waivers or baseline) and expected is None:
        return None
    from envcheck.model.policy import Policy

    return Policy(severities, off, raised, tuple(waivers), expected, baseline)


def _baseline(path: str, merged: argparse.Namespace) -> Baseline:
    from envcheck.policy.baseline import read_baseline

    files = Files()
    holder = inside(files, merged, path)
    if holder is not None:
        raise UsageError(f"--baseline {path}: lies inside {holder}, which is scanned", "keep it somewhere else")
    try:
        data = files.read(path, files.limits.lock)
    except Unreadable as error:
        raise UsageError(f"--baseline {path}: {error.why}", "write it: envcheck baseline write") from None
    return read_baseline(data, path)
