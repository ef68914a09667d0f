"""A module in the scripts directory, which is ``sys.path[0]`` of every console script: which of them imports it.

``Modules/main.c`` inserts the directory of the script before everything else (not under ``-P`` or ``-I``), so that a
module there takes the place of any other of its name, the standard library's included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ENDINGS = (".py", ".pyc", ".so", ".pyd")
_IMPORTS = re.compile(rb"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)|import[ \t]+([\w., \t]+))", re.M)
_LOADED = frozenset(
    {"sys", "os", "io", "abc", "site", "stat", "codecs", "encodings", "builtins", "posix", "posixpath", "time"}
)
"""In ``sys.modules`` before the script begins: an import of one looks nowhere."""


def module_name(file: str) -> str | None:
    """The name under which a file (or package directory) could be imported; ``None`` for what could not."""
    name, _, ending = file.partition(".")
    if ending and not file.endswith(_ENDINGS):
        return None
    return name if name.isidentifier() and name not in _LOADED else None


def imported(script: bytes) -> list[str]:
    """The top-level names that a script's own lines import, in order; nothing for what is no Python script."""
    first = script.partition(b"\n")[0]
    if not first.startswith(b"#!") or b"python" not in script[:512]:
        return []
    names = []
    for module, several in _IMPORTS.findall(script):
        for one in [module] if module else several.split(b","):
            names.append(one.strip().partition(b" ")[0].partition(b".")[0].decode("ascii", "replace"))
    return list(dict.fromkeys(names))


def what_it_shadows(file: str, scripts: Mapping[str, list[str]]) -> str | None:
    """What a module beside console scripts does to them, in words; ``scripts`` are names with what each imports."""
    name = module_name(file)
    if name is None:
        return None
    importing = sorted(script for script, names in scripts.items() if name in names)
    if not importing:
        return f"the first place where every console script looks for a module {name}"
    more = f" and {len(importing) - 1} more" if len(importing) > 1 else ""
    return f"{importing[0]}{more} would import {name} from here, in place of the module that is meant"
