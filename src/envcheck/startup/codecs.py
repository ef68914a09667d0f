"""What an interpreter imports before ``site``, and ``site`` with what it needs: entries where foreign files answer.

The codecs of file names and standard streams are Python modules. So are, up to 3.10, ``io`` and ``site`` themselves
(frozen from 3.11 on, gh-89435). All are looked for along PYTHONPATH, the zip and the standard library, before any
site directory joins.
"""

import re
from encodings.aliases import aliases

from envcheck.model.environment import Environment
from envcheck.model.invocation import Invocation
from envcheck.model.nouns import NamedTuple
from envcheck.model.startup import EntryKind
from envcheck.startup.encoding import filesystem_codec, locale_of, pth_codec
from envcheck.startup.ledger import Ledger
from envcheck.startup.rules import Rules, source
from envcheck.startup.standard import StandardImports

Minor = tuple[int, int]
_RULE = "Python/pylifecycle.c (init_interp_main)"
_SITE = "Lib/site.py"
_ALWAYS = ((3, 0), (9, 9))
_LOCALE, _STREAMS = "the locale's codec", "the codec of PYTHONIOENCODING"


class Import(NamedTuple):
    """One module of the sequence, and the first and last version that imports it there."""

    name: str
    first: Minor
    last: Minor
    frozen: bool = False
    """It is frozen from 3.11 on (gh-89435): a file answers only with ``-X frozen_modules=off``."""


BEFORE_SITE = (
    Import("encodings", *_ALWAYS),
    Import("codecs", *_ALWAYS, frozen=True),
    Import("encodings.aliases", *_ALWAYS),
    Import(_LOCALE, *_ALWAYS),
    Import(_STREAMS, *_ALWAYS),
    Import("encodings.utf_8", (3, 0), (3, 9)),
    Import("encodings.latin_1", (3, 0), (3, 9)),
    Import("io", (3, 0), (3, 13), frozen=True),
    Import("abc", (3, 0), (3, 13), frozen=True),
)
"""In the order in which they begin to run, as each version was seen to do it."""
SITE = (
    Import("site", *_ALWAYS, frozen=True),
    Import("os", *_ALWAYS, frozen=True),
    Import("abc", (3, 14), (9, 9), frozen=True),
    Import("stat", *_ALWAYS, frozen=True),
    Import("_collections_abc", *_ALWAYS, frozen=True),
    Import("posixpath", *_ALWAYS, frozen=True),
    Import("genericpath", *_ALWAYS, frozen=True),
    Import("_sitebuiltins", *_ALWAYS, frozen=True),
)
DECODING = Import("_bootlocale", (3, 0), (3, 9))
"""What ``site`` imports when it opens the first ``.pth``."""

CODECS = frozenset(aliases.values()) | frozenset(
    {
        "aliases", "big5", "charmap", "cp037", "cp1006", "cp65001", "cp720", "cp737", "cp856", "cp874", "cp875",
        "idna", "koi8_t", "koi8_u", "mac_arabic", "mac_croatian", "mac_farsi", "mac_romanian", "mac_centeuro", "mbcs",
        "oem", "palmos", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "unicode_internal",
        "utf_8_sig", "utf_16_be", "utf_16_le", "utf_32_be", "utf_32_le", "_win_cp_codecs",
    }
)  # fmt: skip
"""The modules of the standard ``encodings`` package of any supported version."""


def from_disk(row: Import, rules: Rules) -> bool:
    """Whether this version imports the module, and from a file."""
    return row.first <= rules.minor <= row.last and not (row.frozen and rules.startup_frozen)


def module_names(encoding: str) -> tuple[str, ...]:
    """``encodings.search_function``: the modules that may hold a codec, in the order in which they are tried."""
    plain = encoding.lower().replace(" ", "_")
    norm = re.sub(r"[^\w.]+", "_", plain, flags=re.ASCII).strip("_")
    aliased = aliases.get(norm) or aliases.get(norm.replace(".", "_"))
    return tuple(name for name in dict.fromkeys((aliased, norm)) if name and "." not in name)


class Codecs:
    """The imports before ``site`` of one simulated start."""

    def __init__(
        self,
        environment: Environment,
        rules: Rules,
        invocation: Invocation,
        ledger: Ledger,
        imports: StandardImports,
    ) -> None:
        self._environment = environment
        self._rules = rules
        self._invocation = invocation
        self._ledger = ledger
        self._imports = imports

    def run(self) -> None:
        """Everything up to the standard streams."""
        for row in BEFORE_SITE:
            if row.name is _LOCALE:
                self._locale_codec()
            elif row.name is _STREAMS:
                self._stream_codec()
            elif from_disk(row, self._rules):
                self._imports.take(self._kind(row.name), row.name, _RULE)

    def run_site(self, opens_pth: bool) -> None:
        """``site`` and what it imports; ``opens_pth``: there is a ``.pth`` to open."""
        for row in SITE:
            if from_disk(row, self._rules):
                self._imports.take("startup-module", row.name, _SITE)
        if self._environment.cfg is not None:
            self._codec("utf-8")
        if opens_pth:
            if from_disk(DECODING, self._rules):
                self._imports.take("startup-module", DECODING.name, _SITE)
            if self._rules.utf8_first:
                self._imports.take("codec", "encodings.utf_8_sig", source("utf8_first"))
            else:
                self._codec(pth_codec(self._rules, self._environment.python, self._invocation).name)

    def _kind(self, name: str) -> EntryKind:
        return "codec" if name.startswith(("encodings", "codecs")) else "startup-module"

    def _locale_codec(self) -> None:
        codec = filesystem_codec(self._environment.python, self._invocation)
        if codec.certain or codec.name == "utf-8":
            self._codec(codec.name)
            return
        # A locale that is not installed counts as C.
        locale = locale_of(self._invocation)
        self._codec(codec.name, f"only if the locale {locale} is installed")
        self._codec("utf-8", f"only if the locale {locale} is not installed")

    def _stream_codec(self) -> None:
        named = (self._invocation.variable("PYTHONIOENCODING") or "").partition(":")[0]
        if named and not self._codec(named):
            why = f"PYTHONIOENCODING names the codec {named!r}, which does not exist: the start ends with LookupError"
            path = self._environment.stdlib or self._environment.path
            self._ledger.abort(path, None, why, f"only if there is a codec {named!r}", certain=False)

    def _codec(self, encoding: str, when: str | None = None) -> bool:
        """Whether one of the modules that a codec's name may mean is there."""
        for name in module_names(encoding):
            if self._imports.take("codec", f"encodings.{name}", _RULE, known=name in CODECS, when=when):
                return True
        return False
