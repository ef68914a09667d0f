"""Turns a binary and the name of a library that it needs into the path that the dynamic loader would take."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def open_binary(files: Files, path: str) -> Iterator[tuple[Reader, Binary | None]]:
    """A reader on a file and its facts (``None`` where it is no binary, or cannot be read); closed at the end."""
    try:
        fd, _ = files.open(path)
    except Unreadable:
        yield _nothing, None
        return

    def read(offset: int, size: int) -> bytes:
        if size <= 0 or not 0 <= offset < 1 << 62:
            return b""
        try:
            os.lseek(fd, offset, os.SEEK_SET)
            data = os.read(fd, size)
        except OSError:
            return b""
        files.bytes_read += len(data)
        return data

    try:
        yield read, read_binary(read)
    finally:
        os.close(fd)


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
