"""The file name endings that an interpreter imports, in the order in which ``FileFinder`` tries them."""

from __future__ import annotations

from envcheck.model.environment import Environment
from envcheck.model.nouns import Literal

SpecKind = Literal["source", "bytecode", "extension", "namespace", "zip-source", "zip-bytecode"]


def extension_suffixes(environment: Environment) -> tuple[tuple[str, SpecKind], ...]:
    """File name endings in the order in which ``FileFinder`` tries them, with the kind of each."""
    python = environment.python
    major, minor = python.minor
    thread = "t" if python.free_threaded else ""
    if python.platform.startswith("win"):
        machine = python.platform.replace("-", "_")
        extensions = [f".cp{major}{minor}{thread}-{machine}.pyd", ".pyd"]
    else:
        tag = f".cpython-{major}{minor}{thread}" + ("m" if python.minor < (3, 8) else "")
        extensions = [f"{tag}-{triplet}.so" for triplet in _triplets(python.platform)]
        # A free-threaded build does not load the stable ABI's files (gh-111506).
        extensions += [".so"] if thread else [".abi3.so", ".so"]
    return (
        *((suffix, "extension") for suffix in extensions),
        (".py", "source"),
        (".pyc", "bytecode"),
    )


def _triplets(platform: str) -> list[str]:
    """The platform parts of an extension's tag: ``x86_64-linux-gnu`` for ``linux-x86_64-glibc2.36``."""
    if platform.startswith(("macos", "darwin")):
        return ["darwin"]
    parts = platform.split("-")
    machine = parts[1] if len(parts) > 1 else "x86_64"
    machine = {"amd64": "x86_64", "arm64": "aarch64", "i686": "i386", "ppc64le": "powerpc64le"}.get(machine, machine)
    libc = parts[2] if len(parts) > 2 else ""
    if machine.startswith("armv"):
        return ["arm-linux-gnueabihf", "arm-linux-gnueabi", "arm-linux-musleabihf"]
    if libc.startswith("glibc"):
        return [f"{machine}-linux-gnu"]
    if libc.startswith("musl"):
        return [f"{machine}-linux-musl"]
    return [f"{machine}-linux-gnu", f"{machine}-linux-musl"]
