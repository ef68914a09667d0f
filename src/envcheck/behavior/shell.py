"""A command line into what it would do: by the programs that it names, and the Python code that it hands over."""

from __future__ import annotations

import re

from envcheck.model.behavior import Capability

MAX_COMMAND = 100_000

_PATTERNS: tuple[tuple[Capability, re.Pattern[str]], ...] = (
    (
        "network",
        re.compile(
            r"\b(?:curl|wget|ncat|netcat|nc|scp|sftp|ssh|ftp|tftp|socat|telnet|nslookup|dig)\b(?=\s)"
            r"|/dev/tcp/|Invoke-WebRequest|\biwr\b|DownloadString|DownloadFile|certutil\b.{0,200}-urlcache|bitsadmin"
            r"|\bpip3?\s+install|git\s+clone",
            re.I,
        ),
    ),
    (
        "dynamic-code",
        re.compile(
            r"\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\|\s*(?:python|perl|node|bun|ruby)|\beval\s|\bsource\s+<\("
            r"|\bInvoke-Expression|\biex\b|-enc(?:odedcommand)?\b|\b(?:ba)?sh\s+-c\b|\bnode\s+-e\b|\bperl\s+-e\b",
            re.I,
        ),
    ),
    (
        "decode",
        re.compile(r"\bbase64\s+(?:-d|--decode)|openssl\s+(?:enc|base64)\s.{0,200}-d|xxd\s+-r|gunzip|FromBase64", re.I),
    ),
    (
        "persistence",
        re.compile(r"crontab|systemctl\s.{0,80}enable|schtasks|launchctl|reg(?:\.exe)?\s+add|authorized_keys", re.I),
    ),
    ("writes-files", re.compile(r">{1,2}\s*[~/$.\w]|\btee\s|\bchmod\s|\brm\s+-|\bcp\s|\bmv\s|\bmkdir\b", re.I)),
    ("environment", re.compile(r"(?:^|[;|&(]\s*)(?:printenv|env|whoami|hostname|uname|id)\b", re.I)),
)  # fmt: skip
_PYTHON = re.compile(r"python[\d.w]*(?:\.exe)?['\"]?\s+(?:-[A-Zabd-zuIESsBO]+\s+)*-c\s*(?P<quote>['\"])", re.I)
_POWERSHELL = re.compile(r"-e(?:nc(?:odedcommand)?)?\s+(?P<data>[A-Za-z0-9+/=]{24,})", re.I)


def means(command: str) -> tuple[tuple[Capability, str], ...]:
    """What the programs of a command line do, each with the word that tells it."""
    short = command[:MAX_COMMAND]
    found = []
    for capability, pattern in _PATTERNS:
        match = pattern.search(short)
        if match:
            found.append((capability, f"the command has {match[0].strip()}"))
    return tuple(found)


def python_code(command: str) -> str | None:
    """The code behind ``python -c`` in a command line, its quotes taken off."""
    found = _PYTHON.search(command[:MAX_COMMAND])
    if found is None:
        return None
    quote, at = found["quote"], found.end()
    pieces: list[str] = []
    while at < len(command):
        character = command[at]
        if character == quote:
            return "".join(pieces)
        if character == "\\" and quote == '"' and at + 1 < len(command) and command[at + 1] in '\\"$`':
            at += 1
            character = command[at]
        pieces.append(character)
        at += 1
    return "".join(pieces)


def encoded_command(command: str) -> bytes | None:
    """What ``powershell -EncodedCommand`` gets, still in base64."""
    if "powershell" not in command[:MAX_COMMAND].lower() and "pwsh" not in command[:MAX_COMMAND].lower():
        return None
    found = _POWERSHELL.search(command[:MAX_COMMAND])
    return None if found is None else found["data"].encode()
