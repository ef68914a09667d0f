"""Installer configuration inside an environment: what decides something is listed, credentials are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.installed.installer_config import read_configuration
from installed.trees import Tree

PIP = """\
[global]
index-url = https://user:s3cret@evil.example/simple
extra-index-url =
    https://token@one.example/simple
    https://two.example/simple?token=s3cret
timeout = 60
[install]
find-links: /srv/wheels
trusted_host = evil.example
keyring-provider = subprocess
"""
UV = """\
index-url = "https://user:s3cret@evil.example/simple"
cache-dir = "/tmp/cache"
preview = true

[[index]]
name = "mirror"
url = "https://evil.example/simple"
default = true

[pip]
target = "/srv/target"
"""


def test_every_decisive_setting_of_pip_is_listed() -> None:
    found = read_configuration(PIP.encode())
    assert [(setting.line, setting.key) for setting in found.decisive] == [
        *((2, "index-url"), (3, "extra-index-url"), (4, "extra-index-url"), (5, "extra-index-url")),
        *((8, "find-links"), (9, "trusted_host"), (10, "keyring-provider")),
    ]
    assert found.others == 1


def test_every_decisive_setting_of_uv_is_listed() -> None:
    found = read_configuration(UV.encode())
    assert [(setting.section, setting.key) for setting in found.decisive] == [
        *(("", "index-url"), ("", "cache-dir"), ("index", "url"), ("pip", "target")),
    ]


def test_credentials_are_not_repeated_and_hosts_are() -> None:
    told = " ".join(setting.text for setting in read_configuration((PIP + UV).encode()).decisive)
    assert "s3cret" not in told and "token@" not in told and "user:" not in told
    assert told.count("evil.example") >= 3 and "one.example" in told


@pytest.mark.parametrize(
    "url", ["https://a:b@c@evil.example/x", "https://a:b%40@evil.example/x", "http://tok@evil.example:8080/x"]
)
def test_odd_credentials_are_not_repeated(url: str) -> None:
    (found,) = read_configuration(f"[global]\nindex-url={url}\n".encode()).decisive
    assert found.value.startswith(("https://***@evil.example", "http://***@evil.example"))


def test_settings_that_decide_nothing_are_low(tree: Tree) -> None:
    (tree.prefix / "pip.conf").write_text("[global]\ntimeout = 60\n[list]\nformat = columns\n")
    assert tree.only().problem == "installer-config-inert"


@pytest.mark.parametrize("name", ["pip.conf", "pip.ini", "uv.toml"])
def test_each_file_is_told(tree: Tree, name: str) -> None:
    (tree.prefix / name).write_text('index-url = "https://u:p@evil.example/"\n')
    found = tree.only()
    assert (found.problem, found.path) == ("installer-config", str(tree.prefix / name))
    assert found.detail == 'it sets index-url = "https://***@evil.example/"'


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    read_configuration(data)


UV_RECEIPT = """\
[tool]
requirements = [{ name = "black" }]
python = "3.11"
entrypoints = [
    { name = "black", install-path = "/home/user/.local/bin/black", from = "black" },
]
"""
PIPX = '{"main_package": {"package": "black", "pip_args": %s}, "injected_packages": {"x": {"pip_args": []}}}'


@pytest.mark.parametrize(("name", "text"), [("uv-receipt.toml", UV_RECEIPT), ("pipx_metadata.json", PIPX % "[]")])
def test_a_receipt_that_redirects_nothing_is_nothing(tree: Tree, name: str, text: str) -> None:
    (tree.prefix / name).write_text(text)
    assert tree.problems() == set()


@pytest.mark.parametrize(
    ("name", "text", "detail"),
    [
        (
            "uv-receipt.toml",
            UV_RECEIPT + '[tool.options]\nindex-url = "https://u:p@evil.example/"\ncolor = "auto"\n',
            'it sets index-url = "https://***@evil.example/"',
        ),
        (
            "uv-receipt.toml",
            UV_RECEIPT + '[[tool.options.index]]\nurl = "https://evil.example/"\n',
            'it sets url = "https://evil.example/"',
        ),
        (
            "pipx_metadata.json",
            PIPX % '["--index-url", "https://u:p@evil.example/"]',
            "it sets pip_args = --index-url https://***@evil.example/",
        ),
        ("pipx_metadata.json", "[" * 100_000, "it cannot be read"),
        ("pipx_metadata.json", "[]", "it cannot be read"),
    ],
)
def test_a_receipt_that_redirects_upgrades_is_told(tree: Tree, name: str, text: str, detail: str) -> None:
    (tree.prefix / name).write_text(text)
    found = tree.only()
    assert (found.problem, found.path) == ("installer-receipt", str(tree.prefix / name))
    assert found.detail is not None and found.detail.startswith(detail)
