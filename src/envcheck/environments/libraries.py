"""Turns a binary and the name of a library that it needs into the path that the dynamic loader would take."""

from __future__ import annotations

import os
import posixpath

from envcheck.files.process import names_process
from envcheck.files.root import Files, Unreadable
from envcheck.formats.binary import Binary, Reader, read_binary

_TRIPLETS = {
    "x86_64": "x86_64-linux-gnu",
    "i686": "i386-linux-gnu",
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "loongarch64": "loongarch64-linux-gnu",
}


class OpenBinary:
    """A reader on a file and its facts (``None`` where it is no binary, or cannot be read); closed at the end."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path
        self._fd = -1

    def __enter__(self) -> tuple[Reader, Binary | None]:
        try:
            self._fd = self._files.open(self._path)[0]
        except Unreadable:
            return _nothing, None
        return self._read, read_binary(self._read)

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self, offset: int, size: int) -> bytes:
        if size <= 0 or not 0 <= offset < 1 << 62:
            return b""
        try:
            os.lseek(self._fd, offset, os.SEEK_SET)
            data = os.read(self._fd, size)
        except OSError:
            return b""
        self._files.bytes_read += len(data)
        return data


def _nothing(offset: int, size: int) -> bytes:
    return b""


def find_library(files: Files, name: str, executable: str, binary: Binary, library_path: str = "") -> str | None:
    """Where ld.so finds a needed library: RPATH (without RUNPATH), LD_LIBRARY_PATH, RUNPATH, the usual directories.

    A name with a slash is a path of its own.

    ``$ORIGIN`` is the directory of the executable with its links resolved. ``None`` where no file is found;
    ld.so.cache is not read, its directories are in practice the usual ones.
    """
    try:
        origin = posixpath.dirname(files.realpath(executable))
    except Unreadable:
        origin = posixpath.dirname(executable)
    if "/" in name:
        path = _expand(name, origin)
        return path if path.startswith("/") and files.is_file(path) else None
    early = () if binary.runpath else binary.rpath
    for directory in (*early, *library_path.replace(";", ":").split(":"), *binary.runpath, *_usual(files, binary)):
        path = posixpath.join(_expand(directory, origin), name)
        # A relative element is the current directory of whoever starts Python: never read.
        if path.startswith("/") and not names_process(files, path) and files.is_file(path):
            return path
    return None


def _expand(text: str, origin: str) -> str:
    """The dynamic string tokens of ld.so(8)."""
    for token, value in (("ORIGIN", origin), ("LIB", "lib")):
        text = text.replace("${" + token + "}", value).replace("$" + token, value)
    return text


def _usual(files: Files, binary: Binary) -> list[str]:
    triplet = _TRIPLETS.get(binary.machine, "")
    directories = ["/lib/" + triplet, "/usr/lib/" + triplet] if triplet else []
    if binary.bits == 64:
        directories += ["/lib64", "/usr/lib64"]
    return [*directories, "/lib", "/usr/lib", "/usr/local/lib"]
