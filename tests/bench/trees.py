"""Environments made for timing: as many startup files, or installed files, as asked for."""

from __future__ import annotations

import base64
import glob
import hashlib
import os
import subprocess
import sys

_SIZES = (200, 900, 3_000, 8_000, 20_000)
"""Bytes of the files of a package, in turn: most Python modules are small."""
_FILES = 500
"""Files of one distribution."""


def new_venv(path: str) -> str:
    """A venv without pip; its site-packages directory."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", path], check=True)
    (site,) = glob.glob(os.path.join(glob.escape(path), "lib", "python3*", "site-packages"))
    return site


def with_startup_files(path: str, count: int) -> str:
    """A venv with that many ``.pth`` files, each of its own distribution: path lines, imports, small hooks."""
    site = new_venv(path)
    for number in range(count):
        name = f"hook{number}"
        module = f"import os, sys\nVALUE = os.environ.get('HOOK_{number}')\n\ndef install():\n    return sys.path\n"
        line = (
            f"import os, sys; value = os.environ.get('HOOK_{number}', 'off')\n",
            f"import {name}; {name}.install()\n",
            f"{name}_lib\n# a directory\n",
        )[number % 3]
        os.makedirs(os.path.join(site, f"{name}_lib"))
        install(site, name, {f"{name}.pth": line.encode(), f"{name}.py": module.encode()})
    return path


def with_files(path: str, count: int) -> str:
    """A venv with that many recorded files."""
    site = new_venv(path)
    for first in range(0, count, _FILES):
        name = f"package{first // _FILES}"
        install(
            site,
            name,
            {
                f"{name}/part{number % 25}/module{number}.py": _module(number)
                for number in range(first, min(first + _FILES, count))
            },
        )
    return path


def install(site: str, name: str, contents: dict[str, bytes]) -> None:
    """A distribution as an installer leaves it."""
    info = f"{name}-1.0.dist-info"
    contents = {
        **contents,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/INSTALLER": b"pip\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, data in contents.items():
        target = os.path.join(site, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as stream:
            stream.write(data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    with open(os.path.join(site, info, "RECORD"), "w", encoding="utf-8") as stream:
        stream.writelines([*rows, f"{info}/RECORD,,\n"])


def _module(number: int) -> bytes:
    line = f"value_{number} = {number}\n".encode()
    return line * (_SIZES[number % len(_SIZES)] // len(line))
