"""`envcheck config`: what is in force here, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Sequence

from envcheck.cli import options

EPILOG = """examples:
  envcheck config                       for a scan of the project here
  envcheck config --verify              for envcheck verify
  envcheck config --config ci.toml      with another file

Files: your own (envcheck/envcheck.toml where your system keeps configuration), then envcheck.toml, or [tool.envcheck]
in pyproject.toml, of the project that you stand in. The command line goes before both; lists are put together."""

_BY_ITSELF = {"lock": "the project's", "anchors": "envcheck.anchors beside the lock", "fail-on": "high"}
"""What holds where nothing is given."""


def run(arguments: Sequence[str]) -> int:
    """Print a line a value."""
    from envcheck.cli import scan, verify
    from envcheck.cli.configure import settle
    from envcheck.cli.settings import settings_of
    from envcheck.reports.text import visible

    parser = (verify if "--verify" in arguments else scan).new_parser()
    parser.add_argument("--verify", action="store_true", help="what holds for envcheck verify, not for envcheck scan")
    parser.prog, parser.epilog = "envcheck config", EPILOG
    parser.description = "Print what is in force here, and where each value came from."
    settled = settle(parser, arguments, os.environ, options.working_directory())
    if not settled.sources:
        print("no configuration file")
    for source in settled.sources:
        note = ", inside what is scanned: may only tighten" if source.kind == "scanned" else ""
        print(f"{source.kind:<8} {visible(source.configuration.path)}{note}")
    print()
    for key in settings_of(parser):
        value = getattr(settled.arguments, "exceptions" if key == "except" else key.replace("-", "_"))
        told = _BY_ITSELF.get(key) if value is None else None
        print(_row(f"{key} = {told or _told(value)}", settled.origins.get(key, "default")))
    policy = settled.policy
    for source in settled.sources:
        configuration = source.configuration
        for rule, severity in configuration.severities.items():
            print(_row(f"rules.{rule} = {severity.label}", configuration.path))
        for expected in configuration.expected or ():
            named = expected.path or expected.owner or ""
            print(
                _row(
                    f"expected at startup: {named}{' as ' + expected.sha256 if expected.sha256 else ''}",
                    configuration.path,
                )
            )
    if policy is not None:
        for rule, where in policy.off.items():
            print(_row(f"rules.{rule} = off", where))
        for waiver in policy.waivers:
            place = waiver.path or waiver.owner or "the environment"
            print(_row(f"waiver of {waiver.rule} at {place} until {waiver.expires}: {waiver.reason}", waiver.where))
        if policy.baseline is not None:
            counts = f"{len(policy.baseline.findings)} findings, {len(policy.baseline.startup)} startup entries"
            print(_row(f"baseline: {counts}", policy.baseline.path))
    return 0


def _row(text: str, origin: str) -> str:
    from envcheck.reports.text import visible

    return f"{visible(text):<48} {visible(origin)}"


def _told(value: object) -> str:
    """A value as a person writes it."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
