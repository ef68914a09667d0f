"""A ``.netrc`` is read as the standard library reads it, but for what could send a password to a stranger."""

from __future__ import annotations

import netrc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.anchors.sources.credentials import basic, parse_netrc

FILES = {
    "one line": "machine a.example login ana password word",
    "several lines": "machine a.example\n  login ana\n  password word\n\nmachine b.example login eva password other\n",
    "comments": "# a comment\nmachine a.example login ana password word\n# machine b.example login x password y\n",
    "quotes": 'machine a.example login "a n a" password "w\\"o\\\\rd"',
    "backslash": "machine a.example login a\\na password wo\\ rd",
    "account": "machine a.example login ana account acc password word",
    "user": "machine a.example user ana password word",
    "macro": "machine a.example login ana password word\n"
    "macdef init\ncd /pub\nmachine b.example\n\nmachine c.example login u password p\n",
    "no login": "machine a.example password word",
    "empty": "",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_entries_are_read_as_the_standard_library_reads_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "netrc").write_text(text)
    reference = netrc.netrc(str(tmp_path / "netrc")).hosts
    assert parse_netrc(text) == {host: (entry[0], entry[2]) for host, entry in reference.items()}


def test_an_entry_for_any_host_is_passed_over() -> None:
    text = "machine a.example login ana password word\ndefault login x password y\nmachine b.example login u password p"
    assert parse_netrc(text) == {"a.example": ("ana", "word"), "b.example": ("u", "p")}


def test_the_first_entry_of_a_host_counts() -> None:
    assert parse_netrc("machine A.example login one password 1\nmachine a.example login two password 2") == {
        "a.example": ("one", "1")
    }


@given(st.lists(st.sampled_from(["machine", "login", "password", "default", "macdef", '"', "\\", "#", " ", "\n", "x"])))
def test_any_text_is_read_without_harm(pieces: list[str]) -> None:
    assert all(isinstance(host, str) for host in parse_netrc(" ".join(pieces)))
    parse_netrc("".join(pieces))


def test_no_line_end_can_come_out_of_a_login() -> None:
    assert "\n" not in basic("a\r\nX-Header: 1", "b" * 200)
