"""The ``.pth`` files that tools write outside any RECORD into the paths that they add, where they hold nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable

from envcheck.catalogue.match import Known
from envcheck.catalogue.pathlines import absolute_paths, decode, is_absolute, lines_of
from envcheck.catalogue.startup_files import TOOL_PATHS

# easy_install with SETUPTOOLS_SYS_PATH_TECHNIQUE=rewrite, the only way before setuptools 8: what the lines between
# add is moved before the standard library.
_REWRITE_FIRST = "import sys; sys.__plen = len(sys.path)"
_REWRITE_LAST = frozenset(
    {
        "import sys; new = sys.path[sys.__plen:]; del sys.path[sys.__plen:]; "
        "p = getattr(sys, '__egginsert', 0); sys.path[p:p] = new; sys.__egginsert = p + len(new)",
        "import sys; new=sys.path[sys.__plen:]; del sys.path[sys.__plen:]; "
        "p=getattr(sys,'__egginsert',0); sys.path[p:p]=new; sys.__egginsert = p+len(new)",
    }
)
_RELATIVE_EGG = re.compile(r"\./[A-Za-z0-9_][A-Za-z0-9_.+!-]*")


def _easy_install(data: bytes) -> Known | None:
    text = decode(data)
    lines = lines_of(text) if text else None
    if not lines:
        return None
    what = TOOL_PATHS["easy-install.pth"]
    comes_first = lines[0] == _REWRITE_FIRST
    if comes_first:
        if lines[-1] not in _REWRITE_LAST:
            return None
        lines = lines[1:-1]
        what += ", moved before the standard library"
    if not all(is_absolute(line) or _RELATIVE_EGG.fullmatch(line) for line in lines):
        return None
    return Known(
        "setuptools", None, what, "template", paths=tuple(lines), comes_first=comes_first, written_by_tool=True
    )


# uv wrote the path as a string until 0.12, then as bytes that os.fsdecode takes.
_UV_CALL = re.compile(r'site\.addsitedir\((?:"([^"\\]+)"|__import__\("os"\)\.fsdecode\(b"([ !#-\[\]-~]+)"\))\)')


def _uv_overlay(data: bytes) -> Known | None:
    text = decode(data)
    lines = lines_of(text) if text else None
    if not lines or len(lines) != 1 or not lines[0].startswith("import site; "):
        return None
    calls = [_UV_CALL.fullmatch(call) for call in lines[0].removeprefix("import site; ").split("; ")]
    directories = tuple(call[1] or call[2] for call in calls if call)
    if len(directories) != len(calls) or not all(map(is_absolute, directories)):
        return None
    what = TOOL_PATHS["_uv_ephemeral_overlay.pth"]
    return Known("uv", None, what, "template", site_dirs=directories, written_by_tool=True)


_HOMEBREW_LINE = re.compile(r"import site; site\.addsitedir\('([^'\\]+)'\)")


def _homebrew(data: bytes) -> Known | None:
    text = decode(data)
    found = [_HOMEBREW_LINE.fullmatch(line) for line in (lines_of(text) or ())] if text else []
    directories = tuple(line[1] for line in found if line)
    if not found or len(directories) != len(found) or not all(map(is_absolute, directories)):
        return None
    what = TOOL_PATHS["homebrew_deps.pth"]
    return Known("Homebrew", None, what, "template", site_dirs=directories, written_by_tool=True)


def _pipx(data: bytes) -> Known | None:
    paths = absolute_paths(data)
    if not paths:
        return None
    return Known("pipx", None, TOOL_PATHS["pipx_shared.pth"], "template", paths=paths, written_by_tool=True)


READERS: dict[str, Callable[[bytes], Known | None]] = {
    "easy-install.pth": _easy_install,
    "setuptools.pth": _easy_install,
    "pipx_shared.pth": _pipx,
    "homebrew_deps.pth": _homebrew,
    "_uv_ephemeral_overlay.pth": _uv_overlay,
}
