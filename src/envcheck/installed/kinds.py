"""A path into what consumes the file: code that can be imported or run, an installer's own metadata, or inert data."""

from __future__ import annotations

CODE_SUFFIXES = (
    ".py",
    ".pyw",
    ".pyc",
    ".pyo",
    ".so",
    ".pyd",
    ".pth",
    ".start",
    ".zip",
    ".egg",
    ".whl",
    ".pyz",
    ".dll",
    ".dylib",
)
"""Endings of files that Python imports, processes at startup or can be pointed at."""

_BINARY_MAGICS = (b"\x7fELF", b"MZ", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_FAT_MAGIC = b"\xca\xfe\xba\xbe"

_DERIVED = frozenset(
    {
        "RECORD",
        "RECORD.jws",
        "RECORD.p7s",
        "INSTALLER",
        "REQUESTED",
        "direct_url.json",
        "uv_cache.json",
        "uv_build.json",
    }
)
_CUSTOMIZE = frozenset({"sitecustomize", "usercustomize"})


def is_code(path: str) -> bool:
    """Whether a file's name makes it code."""
    return path.endswith(CODE_SUFFIXES) or ".so." in path.rpartition("/")[2]


def is_consumed(key: str) -> bool:
    """Whether Python, or a tool that is told of, runs or trusts a file of this path: code, or what decides of code."""
    from envcheck.catalogue.consumers import consumer_of

    return is_code(key) or consumer_of(key) is not None


def is_binary(head: bytes) -> bool:
    """Whether a file begins as an ELF, PE or Mach-O image, whatever its name."""
    return head.startswith(_BINARY_MAGICS) or (head[:4] == _FAT_MAGIC and head[4:7] == b"\0\0\0")


def is_derived(key: str) -> bool:
    """Whether an installer writes the file itself: no wheel has its hash, and none is needed.

    virtualenv leaves an empty NAME-VERSION.virtualenv beside each distribution that it seeds.
    """
    directory, _, name = key.rpartition("/")
    return (name in _DERIVED and directory.endswith((".dist-info", ".egg-info"))) or key.endswith(".virtualenv")


def is_startup_file(key: str, anywhere: bool = False) -> bool:
    """Whether CPython runs the file by itself: a ``.pth`` or ``.start`` of the site directory, a customize module.

    ``anywhere`` takes a customize module at any depth: a path line can make its directory a place for one.
    """
    if key.endswith((".pth", ".start")) and "/" not in key:
        return True
    parts = key.split("/")
    if not anywhere:
        return parts[0].partition(".")[0] in _CUSTOMIZE
    return any(part.partition(".")[0] in _CUSTOMIZE for part in parts[-2:])
