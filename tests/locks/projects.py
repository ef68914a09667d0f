"""Projects that the real uv locks, and what its dry run says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from envcheck.model.environment import Python
from locks.indexes import Index
from support.pythons import Interpreter
from support.venvs import need_tool, run

MACHINES = {
    "linux": ("x86_64-unknown-linux-gnu", "linux-x86_64-glibc2.36"),
    "linux-arm": ("aarch64-unknown-linux-gnu", "linux-aarch64-glibc2.36"),
    "macos": ("aarch64-apple-darwin", "macos-arm64"),
    "windows": ("x86_64-pc-windows-msvc", "windows-amd64"),
}
"""What uv calls a platform, and what a scan calls it."""

FORKS = """
[project]
name = "forks"
version = "0.1.0"
requires-python = ">=3.8"
dependencies = [
    "alpha",
    "sigma<2; python_version < '3.10'",
    "sigma>=2; python_version >= '3.10'",
]
[project.optional-dependencies]
deep = ["theta"]
all = ["forks[deep]", "eta"]
[dependency-groups]
dev = ["iota", "mu; sys_platform == 'win32'"]
docs = ["gamma[slow]", {include-group = "lint"}]
lint = ["xi"]
"""

CONFLICTS = """
[project]
name = "conflicts"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["gamma"]
[project.optional-dependencies]
old = ["beta==1.0", "sigma"]
new = ["beta==2.0", "sigma"]
[dependency-groups]
dev = ["iota"]
one = ["sigma==1.0"]
two = ["sigma==2.0"]
[tool.uv]
conflicts = [
    [{extra = "old"}, {extra = "new"}],
    [{group = "one"}, {group = "two"}],
    [{group = "one"}, {extra = "new"}],
    [{group = "two"}, {extra = "old"}],
]
"""

WORKSPACE = """
[project]
name = "roof"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["alpha", "wall"]
[dependency-groups]
dev = ["iota"]
[tool.uv.workspace]
members = ["wall", "shed"]
[tool.uv.sources]
wall = {workspace = true}
"""

MEMBERS = {
    "wall": 'dependencies = ["theta"]\n[dependency-groups]\ndev = ["mu"]\n',
    "shed": 'dependencies = ["sigma>=2", "gamma[slow]"]\n[project.optional-dependencies]\nplus = ["xi"]\n',
}

_LINE = re.compile(r"^ \+ ([A-Za-z0-9._-]+)(?:==(\S+)| @ )")


def make(directory: Path, pyproject: str, index: Index, members: dict[str, str] | None = None) -> Path:
    """The project, locked by uv."""
    (directory / "pyproject.toml").write_text(pyproject)
    for name, rest in (members or {}).items():
        (directory / name).mkdir()
        (directory / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "0.1.0"\nrequires-python = ">=3.9"\n{rest}'
        )
    uv(directory, index, "lock")
    return directory / "uv.lock"


def uv(directory: Path, index: Index, *arguments: str, **environ: str) -> str:
    """Run uv in a project, against the index of the tests alone; what it says on both streams."""
    tool = need_tool("uv")
    command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', tool, *arguments]
    home = str(directory.parent)
    return run(command, cwd=directory, HOME=home, UV_OFFLINE="false", UV_DEFAULT_INDEX=index.url, **environ)


def dry_run(
    directory: Path, index: Index, interpreter: Interpreter, platform: str, options: Sequence[str]
) -> set[tuple[str, str]]:
    """Names and versions that ``uv sync --dry-run --frozen`` would install; ``@`` for what comes from no index."""
    output = uv(
        directory,
        index,
        *("sync", "--dry-run", "--frozen", "--python", interpreter.path),
        *("--python-platform", MACHINES[platform][0], *options),
        UV_PROJECT_ENVIRONMENT=str(directory / "nowhere"),
    )
    found = (_LINE.match(line) for line in output.splitlines())
    return {(match[1].lower(), match[2] or "@") for match in found if match}


def python(interpreter: Interpreter, platform: str = "linux") -> Python:
    """The interpreter as a scan knows it."""
    abi = "cp{}{}".format(*interpreter.version)
    return Python(interpreter.text, "binary", "cpython", abi, MACHINES[platform][1], interpreter.path, "/usr")
