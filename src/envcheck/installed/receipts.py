"""A receipt of ``uv tool`` or pipx into the options with which the tool will install into this environment again.

``uv-receipt.toml`` and ``pipx_metadata.json`` lie in the prefix. uv and pipx write them from what the user asked for,
so that an index in one is nothing odd; ``uv tool upgrade`` and ``pipx upgrade`` do what they say, whoever wrote it.
"""

import json

from envcheck.installed.installer_config import Configuration, Setting, read_configuration, redacted

RECEIPTS = {"uv-receipt.toml": "uv tool upgrade", "pipx_metadata.json": "pipx upgrade"}
"""Name in the prefix, and the command that does what it says."""

_OPTIONS = "tool.options"
_REINSTALL = 'it cannot be read ("uv tool install --reinstall" or "pipx reinstall" writes it anew)'


class UnreadableReceipt(ValueError):
    """A receipt that its own tool would refuse."""


def read_receipt(name: str, data: bytes) -> Configuration:
    """The settings of one receipt that decide where installs come from. Raises `UnreadableReceipt`."""
    if name.endswith(".json"):
        return _pipx(data)
    found = read_configuration(data)
    options = [setting for setting in found.decisive if setting.section.split(".")[:2] == _OPTIONS.split(".")]
    return Configuration(tuple(options), found.others + len(found.decisive) - len(options))


def _pipx(data: bytes) -> Configuration:
    """pipx: ``pip_args`` of the main package and of each that was injected."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableReceipt(_REINSTALL) from error
    if not isinstance(content, dict):
        raise UnreadableReceipt(_REINSTALL)
    injected = content.get("injected_packages")
    packages = [content.get("main_package"), *(injected.values() if isinstance(injected, dict) else ())]
    settings = []
    for package in packages:
        arguments = package.get("pip_args") if isinstance(package, dict) else None
        if isinstance(arguments, list) and arguments:
            text = " ".join(redacted(argument) for argument in arguments if isinstance(argument, str))
            settings.append(Setting(1, "", "pip_args", text))
    return Configuration(tuple(settings), 0)
