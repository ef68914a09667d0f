"""Turns a finding into the waiver that would accept it, ready to paste but for the reason and the day it ends."""

from __future__ import annotations

import json

from envcheck.model.finding import Finding
from envcheck.reports.text import printable


def to_paste(finding: Finding) -> str:
    """A table of TOML; empty where the finding cannot be waived. The two empty values are for a person to fill."""
    if finding.content is None:
        return ""
    lines = ["[[waivers]]", f"rule = {_quoted(finding.rule)}"]
    if finding.place is not None:
        lines.append(f"path = {_quoted(escaped_pattern(finding.place))}")
    lines += [f"sha256 = {_quoted(finding.content)}", 'reason = ""', 'expires = ""']
    return "\n".join(lines) + "\n"


def escaped_pattern(place: str) -> str:
    """A pattern that matches exactly this place."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in printable(place))


def _quoted(text: str) -> str:
    """A basic string of TOML, in ASCII: JSON's own are, but for characters past U+FFFF and DEL."""
    quoted = []
    for character in text:
        code = ord(character)
        if code > 0xFFFF:
            quoted.append(f"\\U{code:08x}")
        elif code > 0x7E:
            quoted.append(f"\\u{code:04x}")
        else:
            quoted.append(json.dumps(character)[1:-1])
    return '"' + "".join(quoted) + '"'
