"""What a RECORD that was made on this machine may vouch for.

The RECORD of an editable or locally built distribution is as easy to write as the file that it lists. It is taken for
the distribution's ordinary modules; a file that CPython runs by itself needs, besides, the content of a form that a
known tool writes.
"""

from __future__ import annotations

from envcheck.installed.kinds import is_startup_file

_HOOK_PREFIXES = ("__editable__", "_editable_impl_", "_virtualenv")
_HOOK_WORDS = ("_editable_loader.", "_editable_finder.", "_editable.")


def is_editable_hook(key: str) -> bool:
    """Whether a top-level module bears a name that editable installs give to what their ``.pth`` imports."""
    return "/" not in key and (key.startswith(_HOOK_PREFIXES) or any(word in key for word in _HOOK_WORDS))


def needs_known_content(key: str, anywhere: bool = False) -> bool:
    """Whether a self-made RECORD's hash alone is not enough for this file."""
    return is_startup_file(key, anywhere) or is_editable_hook(key)
