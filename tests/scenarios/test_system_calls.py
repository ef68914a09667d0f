"""A whole scan of an attacked environment as the kernel sees it: every promise about the target, by system calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import scanning
from support.locks import uv_lock
from support.pythons import own
from support.venvs import Venv
from support.wheels import Wheel

pytestmark = pytest.mark.strace

TRACED = (
    *("execve", "execveat", "open", "openat", "openat2", "creat", "mmap", "mprotect", "mknod", "mknodat"),
    *("unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "truncate", "ftruncate"),
    *("mkdir", "mkdirat", "rmdir", "utime", "utimes", "utimensat", "futimesat", "setxattr", "removexattr"),
    *("socket", "connect", "bind", "sendto", "chdir", "fchdir", "chroot", "mount"),
)
_CHANGES = frozenset(TRACED) - {
    *("execve", "execveat", "open", "openat", "openat2", "creat", "mmap", "mprotect"),
    *("socket", "connect", "bind", "sendto", "chdir", "fchdir"),
}
HOSTILE = "hostile"
"""A directory in the target that variables name."""
_CALL = re.compile(r"(?:\[pid +)?(?:\d+\]? +)?(\w+)\((.*)\) += (.*)")
_PATHS = re.compile(r'"((?:[^"\\]|\\.)*)"|<((?:/[^<>]*))>')


class Call(NamedTuple):
    """One line of the trace."""

    name: str
    arguments: str
    result: str

    @property
    def worked(self) -> bool:
        return not self.result.startswith("-1")

    def paths(self) -> Iterator[str]:
        """Every path in it: texts, and those that strace knows of descriptors."""
        for text, descriptor in _PATHS.findall(self.arguments + " " + self.result):
            yield text or descriptor


def trace(directory: Path, command: list[str], environ: dict[str, str], cwd: Path) -> tuple[list[Call], str]:
    """The calls of a command and of all that it starts, and what it printed."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not on PATH")
    log = directory / "trace"
    expression = "trace=" + ",".join(f"?{name}" for name in TRACED)
    options = ["-f", "-y", "-v", "-s", "100000", "-qq", "-e", expression, "-e", "signal=none", "-o", str(log)]
    for name, value in environ.items():
        options += ["-E", f"{name}={value}"]  # for the command only, not for strace itself
    done = subprocess.run(
        [strace, *options, *command],
        env={"PATH": os.defpath},
        cwd=cwd,
        capture_output=True,
        timeout=4 * scanning.TIMEOUT,
    )
    if not log.exists() or (b"strace:" in done.stderr and b"ermitted" in done.stderr):
        pytest.skip(f"strace may not trace here: {done.stderr.decode(errors='replace').strip()[:200]}")
    return list(calls(log.read_text("utf-8", "replace"))), done.stdout.decode()


def calls(text: str) -> Iterator[Call]:
    """The trace's lines; a call that another thread interrupted is put together again."""
    unfinished: dict[str, str] = {}
    for line in text.splitlines():
        pid, _, rest = line.partition(" ")
        rest = rest.strip()
        if rest.endswith("<unfinished ...>"):
            unfinished[pid] = rest[: -len("<unfinished ...>")]
            continue
        if rest.startswith("<..."):
            rest = unfinished.pop(pid, "") + rest.partition("resumed>")[2]
        found = _CALL.match(rest)
        if found:
            yield Call(*found.groups())
        else:
            # A helper that is killed leaves "???".
            assert rest.startswith(("+++", "---", "exit", "???")), f"not understood: {line}"


def everything(top: str) -> Iterator[str]:
    """A directory and all below it, read without renewing any access time."""
    yield top
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_NOATIME", 0))
    try:
        names = os.listdir(fd)
    finally:
        os.close(fd)
    for name in names:
        path = os.path.join(top, name)
        if os.path.isdir(path) and not os.path.islink(path):
            yield from everything(path)
        else:
            yield path


def state(top: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a directory that reading could change; access times where only envcheck reads."""
    found: dict[str, tuple[object, ...]] = {}
    for path in everything(str(top)):
        at = os.lstat(path)
        # Following a link sets its access time; the plain Python that a user starts obeys GCONV_PATH and PYTHONPATH.
        others_read = os.path.islink(path) or f"/{HOSTILE}" in path or not hasattr(os, "O_NOATIME")
        accessed = None if others_read else at.st_atime_ns
        times = (at.st_mtime_ns, at.st_ctime_ns, accessed)
        found[path] = (at.st_mode, at.st_uid, at.st_gid, at.st_size, at.st_ino, at.st_nlink, *times)
    return found


def make_old(top: Path) -> None:
    """Access times that any plain read would renew (relatime); the times of contents stay."""
    for path in list(everything(str(top))):
        if not os.path.islink(path):
            os.utime(path, ns=(10**15, os.stat(path).st_mtime_ns))


def differences(
    before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]
) -> dict[str, tuple[tuple[object, ...] | None, tuple[object, ...] | None]]:
    """What is not as it was, by path."""
    return {
        path: (before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }


@pytest.fixture
def attacked(seeded: Venv, attacker: Any, colours: Wheel) -> Venv:
    """An environment with every kind of code in it, and hostile files that variables could name."""
    from support.venvs import install

    install(seeded, [colours])
    (seeded.site / "evil.pth").write_text(attacker.import_line("pth"))
    (seeded.site / "sitecustomize.py").write_text(attacker.payload("sitecustomize"))
    (seeded.site / "_manylinux.py").write_text(attacker.payload("manylinux"))
    for name in ("rich", "packaging", "tomli", "hashlib", "json", "ssl", "encodings_extra", "envcheck_extra"):
        (seeded.site / f"{name}.py").write_text(attacker.payload(name))
    hostile = seeded.path / HOSTILE
    hostile.mkdir()
    for name in ("x.so", "libcrypto.so.3", "libssl.so.3", "libz.so.1", "UTF-32.so", "provider.so", "engine.so"):
        (hostile / name).write_bytes(b"\x7fELF hostile")
    (hostile / "openssl.cnf").write_text(
        "openssl_conf = init\n[init]\nproviders = p\nengines = e\n[p]\nx = x\n"
        f"[x]\nmodule = {hostile}/provider.so\nactivate = 1\n[e]\ny = y\n[y]\ndynamic_path = {hostile}/engine.so\n"
    )
    (hostile / "gconv-modules").write_text("module UTF-32// INTERNAL UTF-32 1\n")
    (hostile / "cert.pem").write_text("")
    for name in ("rich", "packaging", "tomli", "hashlib", "platformdirs", "_manylinux"):
        (hostile / f"{name}.py").write_text(attacker.payload(f"hostile-{name}"))
    (hostile / "startup.py").write_text(attacker.payload("startup"))
    return seeded


@pytest.fixture
def hostile_environ(attacked: Venv, attacker: Any) -> dict[str, str]:
    """Variables that name them, as a project's ``.env`` or direnv may set. None that the dynamic loader or a plain
    Python obeys before envcheck's first line: those are not ours to withstand."""
    hostile = str(attacked.path / HOSTILE)
    return {
        **scanning.environ(attacker.home),
        "PATH": f"{attacked.bin}{os.pathsep}{os.defpath}",
        "VIRTUAL_ENV": str(attacked.path),
        "PYTHONSTARTUP": f"{hostile}/startup.py",
        "OPENSSL_CONF": f"{hostile}/openssl.cnf",
        "OPENSSL_CONF_INCLUDE": hostile,
        "OPENSSL_MODULES": hostile,
        "OPENSSL_ENGINES": hostile,
        "SSL_CERT_FILE": f"{hostile}/cert.pem",
        "SSL_CERT_DIR": hostile,
        "SSLKEYLOGFILE": f"{hostile}/keys",
        "GCONV_PATH": hostile,
        "LD_LIBRARY_PATH": hostile,
        "LOCPATH": hostile,
        "NLSPATH": f"{hostile}/%N",
        "TMPDIR": hostile,
        "PIP_CONFIG_FILE": f"{hostile}/pip.conf",
        "UV_CONFIG_FILE": f"{hostile}/uv.toml",
        "PYTHONPATH": hostile,
    }


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_a_scan_runs_maps_writes_and_changes_nothing_of_its_target(
    attacked: Venv, attacker: Any, hostile_environ: dict[str, str], tmp_path: Path, colours: Wheel, form: str
) -> None:
    uv_lock(tmp_path / "project", colours)
    make_old(attacked.path)
    before = state(attacked.path)
    command = [sys.executable, "-m", "envcheck", "scan", "--format", form, str(attacked.path)]
    traced, printed = trace(tmp_path, command, hostile_environ, tmp_path / "project")

    target = str(attacked.path)
    inside = [call for call in traced if any(path == target or path.startswith(target + "/") for path in call.paths())]
    assert "evil.pth" in printed
    assert any(call.name == "openat" and "evil.pth" in call.arguments for call in inside), "the trace saw no scan"

    assert not [call for call in traced if call.name.startswith("execve") and runs(call, target)]
    assert not [call for call in inside if call.name in ("mmap", "mprotect") and "PROT_EXEC" in call.arguments]
    assert not [call for call in inside if opens_to_write(call)]
    assert not [call for call in inside if call.name in _CHANGES]
    assert not [call for call in traced if call.name in ("socket", "connect", "bind", "sendto")]
    assert not attacker.marks.exists()
    assert not differences(before, state(attacked.path))


def test_the_process_that_reads_has_nothing_of_the_users_environment(
    attacked: Venv, attacker: Any, hostile_environ: dict[str, str], tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "envcheck",
        "scan",
        "--format",
        "json",
        "--no-lock",
        "--trusted-python",
        own().path,
    ]
    traced, _ = trace(tmp_path, [*command, str(attacked.path)], hostile_environ, tmp_path)
    first, *others = [call for call in traced if call.name == "execve" and call.worked]
    assert "OPENSSL_CONF=" in first.arguments
    clean, *helpers = others
    assert helpers, "the bytecode that setuptools' startup file loads was compiled again"
    assert {next(iter(helper.paths())) for helper in helpers} == {own().path}
    for helper in helpers:
        arguments, _, environ = helper.arguments.rpartition("], [")
        assert arguments.split("[", 1)[1].startswith(f'"{own().path}", "-I", "-S", ')
        assert environ in ("]", "") or not _PATHS.findall(environ)
    arguments, _, environ = clean.arguments.rpartition("], [")
    assert '"-I"' in arguments
    assert '"-S"' in arguments
    names = {text.partition("=")[0] for text, _ in _PATHS.findall(environ)}
    unexpected = {name for name in names if not name.startswith(("ENVCHECK_MODEL_", "ENVCHECK_GIVEN_"))} - {
        *("HOME", "LANG", "TERM", "USER", "LOGNAME", "COLUMNS", "LINES")
    }
    assert not unexpected


def test_the_helper_that_compiles_touches_nothing_of_the_target(
    attacked: Venv, attacker: Any, hostile_environ: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "envcheck", "scan", "--startup-only", "--trusted-python", own().path]
    trace(tmp_path, [*command, str(attacked.path)], hostile_environ, tmp_path)
    lines = (tmp_path / "trace").read_text("utf-8", "replace").splitlines()
    started = [line for line in lines if "execve(" in line and '"-c", ' in line and "marshal" in line]
    assert started
    helpers = {line.partition(" ")[0] for line in started}
    of_helpers = [line for line in lines if line.partition(" ")[0] in helpers]
    after = of_helpers[of_helpers.index(started[0]) :]
    assert any("openat" in line for line in after), "the trace saw no helper"
    assert not [line for line in after if str(attacked.path) in line]
    assert not [line for line in after if "O_WRONLY" in line or "O_RDWR" in line or "socket(" in line]
    assert len([line for line in after if "execve(" in line]) == len(helpers)


def test_a_copy_that_compiles_touches_nothing_of_the_target(
    attacked: Venv, attacker: Any, hostile_environ: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "envcheck", "scan", "--startup-only", "--format", "json", str(attacked.path)]
    trace(tmp_path, command, hostile_environ, tmp_path)
    lines = (tmp_path / "trace").read_text("utf-8", "replace").splitlines()
    scanning = lines[0].partition(" ")[0]
    of_copies = [line for line in lines if line.partition(" ")[0] != scanning]
    assert of_copies, "the bytecode that setuptools' startup file loads was compiled again"
    assert not [line for line in of_copies if str(attacked.path) in line]
    assert not [line for line in of_copies if "O_WRONLY" in line or "O_RDWR" in line or "socket(" in line]
    assert not [line for line in of_copies if "execve" in line]


def test_a_lock_is_only_read(attacked: Venv, attacker: Any, tmp_path: Path, colours: Wheel) -> None:
    lock = uv_lock(tmp_path / "project", colours)
    make_old(lock.parent)
    before = state(lock.parent)
    command = [sys.executable, "-m", "envcheck", "scan", "--lock", str(lock), str(attacked.path)]
    traced, _ = trace(tmp_path, command, scanning.environ(attacker.home), attacker.elsewhere)
    assert any(str(lock) in call.arguments for call in traced)
    assert not differences(before, state(lock.parent))


def runs(call: Call, target: str) -> bool:
    """Whether a program of the target is started (its path as an argument is data)."""
    program = next(iter(call.paths()), "")
    return program == target or program.startswith(target + "/")


def opens_to_write(call: Call) -> bool:
    if call.name == "creat":
        return True
    flags = re.search(r"\bO_[A-Z_|]+", call.arguments)
    return call.name.startswith("open") and bool(
        flags and {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"} & set(flags[0].split("|"))
    )
