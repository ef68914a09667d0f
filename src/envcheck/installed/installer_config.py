"""A ``pip.conf`` or ``uv.toml`` into the settings that decide where installers take what they install, or run.

Both are read line by line, as far as a line tells: a file that their own readers would refuse still shows what it is
meant to do. Credentials in a value are not repeated.
"""

import re

from envcheck.model.nouns import NamedTuple

INSTALLER_CONFIGURATION = ("pip.conf", "pip.ini", "uv.toml")
"""pip reads ``pip.conf`` (Windows: ``pip.ini``) of ``sys.prefix`` at every run."""

DECISIVE = frozenset(
    """
    index index-url extra-index-url pypi-url find-links trusted-host allow-insecure-host no-index index-strategy url
    default-index publish-url check-url torch-backend
    python python-preference python-downloads python-install-mirror pypy-install-mirror python-downloads-json-url
    managed-python system
    keyring-provider proxy http-proxy https-proxy all-proxy cert client-cert native-tls system-certs
    target prefix root src user cache-dir log report editable requirement constraint override build-constraint
    global-option install-option config-settings config-setting build-option no-build-isolation use-pep517
    no-binary only-binary require-hashes no-verify-hashes pre prerelease use-feature use-deprecated
    sources dependency-metadata extra-build-dependencies extra-build-variables env-file
    break-system-packages ignore-installed require-virtualenv upgrade-strategy link-mode force-reinstall
    """.split()
)
"""Settings (dashes, lower case) that redirect an install, weaken its checks, or run or write something."""

_CREDENTIALS = re.compile(r"(//)[^/\s\"']*@")
_SECRETS = re.compile(r"((?:token|password|secret|key)[^=:&\s]*[=:])[^&\s\"']+", re.IGNORECASE)
_LONGEST = 160


class Setting(NamedTuple):
    """One setting that decides something."""

    line: int
    section: str
    key: str
    value: str
    """Without credentials, shortened."""

    @property
    def text(self) -> str:
        """``index-url = https://…``."""
        return f"{self.key} = {self.value}" if self.value else self.key


class Configuration(NamedTuple):
    """What one file sets."""

    decisive: tuple[Setting, ...]
    others: int
    """Settings that decide nothing of that kind."""


def read_configuration(data: bytes) -> Configuration:
    """The settings of an INI file (pip) or a TOML file (uv)."""
    decisive: list[Setting] = []
    others = 0
    section = ""
    last: tuple[int, str] | None = None
    for number, line in enumerate(data.decode("utf-8", "backslashreplace").removeprefix("\ufeff").splitlines(), 1):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        if text[0] == "[" and "]" in text and not line[:1].isspace():
            section, last = text.strip("[] "), None
            continue
        key, value = _pair(text)
        if key is None or (line[:1].isspace() and last is not None):
            # A value that goes on: pip's lists of URLs, TOML's arrays and inline tables.
            if last is not None:
                decisive.append(Setting(number, section, last[1], redacted(text)))
            continue
        name = key.strip("\"' ").rpartition(".")[2].lower().replace("_", "-").removeprefix("--")
        if name in DECISIVE or section.split(".")[0] in ("sources", "extra-build-dependencies"):
            last = number, key.strip("\"' ")
            decisive.append(Setting(number, section, last[1], redacted(value)))
        else:
            last = None
            others += 1
    return Configuration(tuple(decisive), others)


def _pair(text: str) -> tuple[str | None, str]:
    """Key and value at the first ``=`` or ``:`` (configparser takes both)."""
    found = re.match(r"([^=:\s\[\]{},]+(?:\s+[^=:\s\[\]{},]+)*)\s*[=:]\s*(.*)", text)
    return (None, "") if found is None else (found[1], found[2])


def redacted(value: str) -> str:
    """A value without credentials, shortened."""
    value = _SECRETS.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", value)).strip()
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
