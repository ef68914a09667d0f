"""A string of some code into what it tells: names a responder can look for, and what is kept where it points."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from envcheck.model.behavior import Capability, Indicator, IndicatorKind

MAX_TEXT = 200_000
"""Characters that are looked at."""
MAX_FOUND = 50

_URL = re.compile(r"\b(?:https?|ftp|wss?|tcp|udp)://[^\s'\"<>\\^`{|}\x00-\x20]{3,2000}", re.I)
_ADDRESS = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])")
_DOMAIN = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}"
    r"(?:com|net|org|io|cloud|zone|dev|app|xyz|top|ru|cn|info|biz|site|online|club|me|co|tk|ml|ga|cf|gq|onion|example)"
    r"(?![\w-]|\.\w)",
    re.I,
)
_PATH = re.compile(
    r"(?:~|\$HOME|%[A-Z]+%|[A-Za-z]:)?[/\\](?:tmp|var|etc|home|root|usr|opt|dev/shm|Users|Library|\.?[\w.-]+)"
    r"(?:[/\\][\w.@+-]+)+|[~/]/?\.[\w.-]{2,}(?:/[\w.-]+)*"
)
_WHOLE_PATH = re.compile(
    r"(?:~[\w.-]*|/(?:tmp|var|etc|home|root|usr|opt|dev/shm|run)\b|[A-Za-z]:\\|%[A-Za-z]+%)[^\n\r\x00]*"
)
_UNIT = re.compile(r"(?<![\w/.@-])[\w@.-]{1,120}\.(?:service|timer|socket|plist)(?![\w.])")

_CREDENTIALS = re.compile(
    r"""
      \.ssh\b | id_rsa | id_ed25519 | \.aws\b | \.netrc\b | \.pypirc\b | \.npmrc\b | \.git-credentials | \.docker/config
    | \.kube\b | kubeconfig | /etc/(?:g?shadow|passwd)\b | \.gnupg | Login\ Data | \bcookies\.sqlite | logins\.json
    | key4\.db | wallet\.dat | \.bitcoin\b | \.ethereum\b | \bexodus\b.{0,40}wallet | metamask | nkbihfbeogaeaoehlef
    | 169\.254\.169\.254 | 169\.254\.170\.2 | metadata\.google\.internal | /var/run/secrets | \.config/gcloud
    | \.azure\b | application_default_credentials | \.bash_history | \.zsh_history | Local\ State | \.pgpass
    | AppData.{0,40}(?:discord|Telegram) | leveldb | \.terraform\.d | \.vault-token | \.cargo/credentials
    """,
    re.X | re.I,
)
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKENS?|SECRETS?|PASSWORD|PASSWD|API_?KEYS?|ACCESS_KEY(?:_ID)?|PRIVATE_KEY|CREDENTIALS?|PAT)(?:_|$)",
    re.I,
)
_PERSISTENCE = re.compile(
    r"""
      \.bashrc | \.bash_profile | \.bash_login | \.zshrc | \.zshenv | \.profile\b | /etc/profile | /etc/rc\.local
    | crontab | /etc/cron | systemd/(?:user|system) | \bsystemctl\b.{0,40}\benable | \.config/autostart | LaunchAgents
    | LaunchDaemons | launchctl | CurrentVersion\\+Run | schtasks | Start\ Menu.{0,20}Startup | ld\.so\.preload
    | authorized_keys | \.git/hooks | (?:^|[/\\])(?:site|user)customize\.py | (?<![\w-])[\w-]{1,80}\.pth$
    | \.config/systemd
    | winlogon | /etc/init\.d | PROMPT_COMMAND
    """,
    re.X | re.I,
)
_ANALYSIS = re.compile(
    r"""
      TracerPid | \bvmware\b | virtualbox | \bvbox | \bqemu\b | \bxen\b | hyper-?v | sandboxie | wireshark | x64dbg
    | ollydbg | \bida64 | procmon | /sys/class/dmi | /sys/hypervisor | \bpydevd\b | SbieDll | IsDebuggerPresent
    | cuckoo | fiddler | \.dockerenv
    """,
    re.X | re.I,
)
_HINTS: tuple[tuple[Capability, re.Pattern[str]], ...] = (
    ("credentials", _CREDENTIALS),
    ("persistence", _PERSISTENCE),
    ("anti-analysis", _ANALYSIS),
)
WORDS = (
    *(".ssh", "id_rsa", "id_ed25519", ".aws", ".netrc", ".pypirc", ".npmrc", ".git-credentials", ".docker/config"),
    *(".kube", "kubeconfig", "shadow", "passwd", ".gnupg", "login data", "cookies.sqlite", "logins.json", "key4.db"),
    *("wallet", ".bitcoin", ".ethereum", "metamask", "nkbihfbeogaeaoehlef", "169.254.1", "metadata.google.internal"),
    *("/var/run/secrets", "gcloud", ".azure", "application_default_credentials", "_history", "local state", ".pgpass"),
    *("appdata", "leveldb", ".terraform.d", ".vault-token", ".cargo/credentials"),
    *(".bash", ".zsh", ".profile", "/etc/profile", "/etc/rc.local", "crontab", "/etc/cron", "systemd", "systemctl"),
    *(".config/", "launchagents", "launchdaemons", "launchctl", "currentversion", "schtasks", "start menu"),
    *("ld.so.preload", "authorized_keys", ".git/hooks", "customize.py", ".pth", "winlogon", "/etc/init.d"),
    *("prompt_command", "tracerpid", "vmware", "virtualbox", "vbox", "qemu", "xen", "hyperv", "hyper-v", "sandboxie"),
    *("wireshark", "x64dbg", "ollydbg", "ida64", "procmon", "/sys/class/dmi", "/sys/hypervisor", "pydevd", "sbiedll"),
    *("isdebuggerpresent", "cuckoo", "fiddler", ".dockerenv"),
)
"""In small letters: each match of a pattern of `_HINTS` in ASCII has one of them (a test takes the patterns apart)."""
_SENTENCE = re.compile(r"\w+ \w+ \w+ \w+ \w+")


def hints(text: str) -> tuple[tuple[Capability, str], ...]:
    """What a string points to: a capability, and the part of the string that tells it."""
    short = text[:MAX_TEXT]
    found: list[tuple[Capability, str]] = []
    for capability, pattern in _HINTS:
        match = pattern.search(short)
        if match:
            found.append((capability, f"names {match[0].strip()}"))
    return tuple(found)


def hinting(texts: Sequence[str]) -> list[int]:
    """The numbers of those strings, ASCII and without line ends, that `hints` may have an answer for.

    All are searched at once for the words that its patterns cannot match without.
    """
    ends = list(accumulate(len(text) + 1 for text in texts))
    whole = "\n".join(texts).lower()
    found: set[int] = set()
    for word in WORDS:
        at = whole.find(word)
        while at >= 0:
            number = bisect_right(ends, at)
            found.add(number)
            at = whole.find(word, ends[number])
    return sorted(found)


def may_have_addresses(text: str) -> bool:
    """Whether a URL or an address in figures could be in a string at all."""
    return "://" in text or text.count(".") > 2


def is_kept_secret(text: str) -> bool:
    """Whether a path of this text is one that secrets are kept at; the addresses that give them out are none."""
    return len(text) < 500 and "://" not in text and _CREDENTIALS.search(text) is not None


def is_secret(variable: str) -> bool:
    """Whether a variable of this name holds what logs in somewhere."""
    return _SECRET_NAME.search(variable) is not None


def indicators(text: str, line: int | None) -> tuple[Indicator, ...]:
    """The URLs, domains, addresses, paths and units in a string, each once."""
    short = text[:MAX_TEXT]
    found: dict[tuple[IndicatorKind, str], None] = {}
    for match in _URL.finditer(short):
        found[("url", match[0].rstrip(".,;)]"))] = None
    rest = _URL.sub(" ", short)
    patterns: list[tuple[IndicatorKind, re.Pattern[str]]] = [("address", _ADDRESS), ("unit", _UNIT)]
    if "." in rest:
        patterns.append(("domain", _DOMAIN))
    for kind, pattern in patterns:
        for match in pattern.finditer(rest):
            found[(kind, match[0])] = None
            if len(found) > MAX_FOUND:
                break
    if len(rest) < 1024 and not _SENTENCE.search(rest):
        whole = _WHOLE_PATH.fullmatch(rest.strip())
        if whole:
            found[("path", whole[0])] = None
    if rest.count("\n") or len(rest) > 40:
        for match in _PATH.finditer(rest):
            if match[0].startswith(("~/", "/tmp/", "/dev/shm/", "/etc/", "/var/tmp/", "$HOME/")):
                found[("path", match[0])] = None
            if len(found) > MAX_FOUND:
                break
    return tuple(Indicator(kind, value, line) for kind, value in list(found)[:MAX_FOUND])
