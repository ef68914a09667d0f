"""An editable install's entry points against what its project declares (PEP 621, Poetry).

The RECORD of an editable install is as easy to write as ``entry_points.txt``, and the project is what its owner reads.
"""

from __future__ import annotations

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.entrypoints import EntryPoint, parse_entry_points
from envcheck.installed.distributions import Installation

_DYNAMIC = {"scripts": "console_scripts", "gui-scripts": "gui_scripts"}


def undeclared(files: Files, installation: Installation) -> tuple[EntryPoint, ...]:
    """Entry points that ``pyproject.toml`` does not have; none where it leaves them to the build backend."""
    if not installation.editable or not installation.project or not installation.entry_points:
        return ()
    direct = installation.direct
    below = f"/{direct.subdirectory.strip('/')}" if direct and direct.subdirectory else ""
    try:
        data = files.read(f"{installation.project}{below}/pyproject.toml")
    except Missing:
        return ()
    except Unreadable as error:
        files.miss(error.path, error.why)
        return ()
    declared = _declared(data)
    if declared is None:
        return ()
    wanted = set(parse_entry_points(declared.encode("utf-8", "surrogatepass")))
    return tuple(found for found in installation.entry_points if found not in wanted)


def _declared(data: bytes) -> str | None:
    """What the project declares, as ``entry_points.txt`` would have it; ``None`` where no file tells."""
    import tomli

    try:
        document = tomli.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    groups: dict[str, object] = {}
    project, poetry = document.get("project"), _table(_table(document, "tool"), "poetry")
    if isinstance(project, dict):
        dynamic = project.get("dynamic")
        if isinstance(dynamic, list) and {"scripts", "gui-scripts", "entry-points"}.intersection(map(str, dynamic)):
            return None
        groups.update(_table(project, "entry-points"))
        for key, group in _DYNAMIC.items():
            groups[group] = _table(project, key)
    elif not poetry:
        return None
    groups.update(_table(poetry, "plugins"))
    groups["console_scripts"] = {**_table(groups, "console_scripts"), **_table(poetry, "scripts")}
    lines = []
    for group, names in groups.items():
        lines.append(f"[{group}]")
        for name, value in names.items() if isinstance(names, dict) else ():
            reference = value.get("reference") or value.get("callable") if isinstance(value, dict) else value
            lines.append(f"{name} = {reference}")
    return "\n".join(lines)


def _table(value: object, key: str) -> dict[str, object]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
