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


def run(arguments: Sequence[str]) -> int:
    """Print a line a value."""
    from envcheck.cli import scan, verify
    from envcheck.cli.configure import settings_of, settle
    from envcheck.reports.text import visible

    verifying = "--verify" in arguments
    arguments = [word for word in arguments if word != "--verify"]
    parser = (verify if verifying else scan).new_parser()
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
        value = getattr(settled.arguments, key.replace("-", "_"))
        origin = settled.origins.get(key, "default")
        if value in (None, False, []) and origin == "default":
            continue
        told = ", ".join(value) if isinstance(value, list) else {True: "true", False: "false"}.get(value, str(value))
        print(f"{key + ' = ' + visible(told):<48} {visible(origin)}")
    policy = settled.policy
    for source in settled.sources:
        for rule, severity in source.configuration.severities.items():
            print(f"{f'rules.{rule} = {severity.label}':<48} {visible(source.configuration.path)}")
    if policy is not None:
        for rule, where in policy.off.items():
            print(f"{f'rules.{rule} = off':<48} {visible(where)}")
        for waiver in policy.waivers:
            place = waiver.path or waiver.owner or ""
            line = f"waiver of {waiver.rule} {visible(place)} until {waiver.expires}: {visible(waiver.reason)}"
            print(f"{line:<48} {visible(waiver.where)}")
        for expected in policy.expected or ():
            print(f"expected at startup: {visible(expected.path or expected.owner or '')}")
        if policy.baseline is not None:
            counts = f"{len(policy.baseline.findings)} findings, {len(policy.baseline.startup)} startup entries"
            print(f"{'baseline: ' + counts:<48} {visible(policy.baseline.path)}")
    return 0
