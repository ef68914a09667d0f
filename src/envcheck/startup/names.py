"""Names of modules that no file on ``sys.path`` answers for, or that belong to the standard library."""

from __future__ import annotations

import sys

LOADED_BEFORE_SITE = frozenset(
    {
        "sys", "builtins", "_frozen_importlib", "_imp", "_thread", "_warnings", "_weakref", "_io", "marshal",
        "posix", "nt", "winreg", "time", "zipimport", "_codecs", "_frozen_importlib_external", "codecs",
        "encodings", "encodings.aliases", "encodings.utf_8", "encodings.latin_1", "_signal", "_abc", "abc",
        "io", "__main__", "_stat", "stat", "_collections_abc", "posixpath", "ntpath", "genericpath", "os.path",
        "os", "_sitebuiltins", "site",
    }
)  # fmt: skip
"""Modules that are in ``sys.modules`` before the first ``.pth`` line on every supported version."""

BUILTIN = frozenset(
    {
        "_abc", "_ast", "_codecs", "_collections", "_functools", "_imp", "_io", "_locale", "_operator",
        "_signal", "_sre", "_stat", "_string", "_symtable", "_thread", "_tracemalloc", "_warnings", "_weakref",
        "atexit", "builtins", "errno", "faulthandler", "gc", "itertools", "marshal", "posix", "pwd", "sys",
        "time",
    }
)  # fmt: skip
"""Built into every CPython: found before ``sys.path`` is looked at."""

BUILTIN_SINCE: dict[str, tuple[int, int]] = {
    "_tokenize": (3, 11),
    "_typing": (3, 12),
    "_sysconfig": (3, 13),
    "_suggestions": (3, 13),
    "_types": (3, 14),
}
"""Built in from that version on."""

FROZEN = frozenset(
    {
        "importlib._bootstrap", "importlib._bootstrap_external", "zipimport", "abc", "codecs", "io",
        "_collections_abc", "_sitebuiltins", "genericpath", "ntpath", "posixpath", "os.path", "os", "site",
        "stat", "importlib.util", "importlib.machinery", "runpy", "__hello__", "__phello__",
    }
)  # fmt: skip
"""Frozen from 3.11 (gh-89435): like built-in ones, found before ``sys.path``. ``importlib`` itself is not."""

_OTHER_VERSIONS = frozenset(
    {
        "_bootlocale", "_dummy_thread", "_dummy_threading", "_peg_parser", "_sha1", "_sha256", "_sha512",
        "_crypt", "asynchat", "asyncore", "binhex", "cgi", "cgitb", "chunk", "crypt", "distutils",
        "dummy_threading", "formatter", "imp", "imghdr", "lib2to3", "macpath", "mailcap", "msilib", "nntplib",
        "nis", "ossaudiodev", "parser", "pipes", "smtpd", "sndhdr", "spwd", "sunau", "symbol", "telnetlib",
        "uu", "xdrlib", "audioop", "aifc", "annotationlib", "compression", "concurrent", "_colorize",
        "_pyrepl", "_interpreters", "_interpchannels", "_interpqueues", "_zstd", "_hmac", "_sha2",
        "_opcode_metadata", "_remote_debugging", "_py_warnings", "profiling",
    }
)  # fmt: skip
"""In the standard library of some supported version, whichever one runs this."""
STANDARD = sys.stdlib_module_names | _OTHER_VERSIONS
"""Top-level names of the standard library, of any supported version."""


def is_builtin(name: str, minor: tuple[int, int], frozen: bool) -> bool:
    """Whether a module is found before ``sys.path`` is looked at: loaded already, built in, or frozen (``frozen``)."""
    if name in BUILTIN or name in LOADED_BEFORE_SITE:
        return True
    since = BUILTIN_SINCE.get(name)
    if since is not None:
        return minor >= since
    return frozen and name in FROZEN
