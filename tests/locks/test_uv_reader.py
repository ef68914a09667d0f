"""``uv.lock`` read strictly: what is there, and where it is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.files.limits import Limits
from envcheck.files.root import Files
from envcheck.locks.read import read_lock
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock

ONE = "1" * 64
FILES = "https://index.example/files"
HEAD = 'version = 1\nrevision = 3\nrequires-python = ">=3.9"\n'
ROOT = '[[package]]\nname = "app"\nversion = "0.1"\nsource = { editable = "." }\n'
ALPHA = f"""[[package]]
name = "alpha"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
sdist = {{ url = "{FILES}/alpha-1.0.tar.gz", hash = "sha256:{ONE}", size = 10, upload_time = "2026-01-01T00:00:00Z" }}
wheels = [
    {{ url = "{FILES}/alpha-1.0-py3-none-any.whl", hash = "sha256:{ONE}", upload-time = "2026-01-02T00:00:00Z" }},
]
"""


def read(directory: Path, text: str | bytes) -> Lock:
    path = directory / "uv.lock"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_lock(Files(), str(path))


def test_a_package_of_an_index(tmp_path: Path) -> None:
    lock = read(tmp_path, HEAD + ALPHA)
    (alpha,) = lock.packages
    assert (alpha.name, alpha.version, alpha.source_kind, alpha.where) == ("alpha", "1.0", "registry", "package[0]")
    sdist, wheel = alpha.artifacts
    assert (sdist.filename, sdist.kind, sdist.size, sdist.upload_time) == (
        "alpha-1.0.tar.gz",
        "sdist",
        10,
        "2026-01-01T00:00:00Z",
    )
    assert (wheel.filename, wheel.kind, wheel.hashes) == ("alpha-1.0-py3-none-any.whl", "wheel", (("sha256", ONE),))
    assert lock.requires_python == ">=3.9"
    assert lock.problems == ()


def test_a_git_source_gives_url_commit_and_subdirectory(tmp_path: Path) -> None:
    source = f'{{ git = "https://me:secret@code.example/alpha?tag=v1&subdirectory=py#{"a" * 40}" }}'
    lock = read(tmp_path, f'{HEAD}[[package]]\nname = "alpha"\nversion = "1.0"\nsource = {source}\n')
    (alpha,) = lock.packages
    assert (alpha.source, alpha.commit, alpha.subdirectory) == ("https://code.example/alpha", "a" * 40, "py")
    assert lock.problems == ()


def test_the_project_comes_first_among_the_members(tmp_path: Path) -> None:
    wall = '[[package]]\nname = "wall"\nsource = { editable = "wall" }\n'
    lock = read(tmp_path, f'{HEAD}[manifest]\nmembers = ["wall", "app"]\n{wall}{ROOT}')
    assert lock.roots == ("app", "wall")


def test_the_roots_of_a_script_lock_are_raw_requirements(tmp_path: Path) -> None:
    lock = read(tmp_path, f'{HEAD}[manifest]\nrequirements = [{{ name = "Alpha", specifier = ">=1" }}]\n{ALPHA}')
    assert lock.roots == ()
    assert [edge.name for edge in lock.root_dependencies] == ["alpha"]


@pytest.mark.parametrize(
    ("settings", "groups"),
    [
        ("", ("dev",)),
        ('[tool.uv]\ndefault-groups = ["Lint", "test"]', ("lint", "test")),
        ('[tool.uv]\ndefault-groups = "all"', ("docs", "dev")),
        ("[tool.uv]\ndefault-groups = []", ()),
    ],
)
def test_the_default_groups_are_those_of_the_project(tmp_path: Path, settings: str, groups: tuple[str, ...]) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    lock = read(tmp_path, f"{HEAD}{ROOT}[package.dev-dependencies]\ndocs = []\ndev = []\n")
    assert lock.default_groups == groups


def test_a_project_file_that_cannot_be_read_is_not_seen(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\ndefault-groups = 3\n")
    (tmp_path / "uv.lock").write_text(HEAD + ALPHA)
    files = Files()
    assert read_lock(files, str(tmp_path / "uv.lock")).default_groups == ("dev",)
    assert [missed.why for missed in files.not_seen] == ["tool.uv: default-groups: is an integer, expected an array"]


def test_keys_that_a_newer_revision_adds_are_accepted(tmp_path: Path) -> None:
    lock = read(tmp_path, HEAD.replace("3", "99") + "[future]\nx = 1\n" + ALPHA + 'provenance = { a = "b" }\n')
    assert len(lock.packages) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = 2\n", "uv.lock: version: is 2, envcheck reads version 1 of this format"),
        ("revision = 2\n", "uv.lock: version: is missing, envcheck reads version 1 of this format"),
        ("version = \n", "uv.lock:1: Invalid value"),
        ("version = 1\npackage = 3\n", "uv.lock: package: is an integer, expected an array"),
        ("version = 1\npackage = [3]\n", "uv.lock: package[0]: is an integer, expected a table"),
        (HEAD + ALPHA.replace('"alpha"', '"al/pha"', 1), "uv.lock: package[0].name: is not a package name"),
        (HEAD + ALPHA.replace('"1.0"', "1.0", 1), "uv.lock: package[0].version: is a float, expected a string"),
        (
            HEAD + ALPHA.replace('version = "1.0"\n', ""),
            "uv.lock: package[0].version: is missing, expected a string (only a directory may have a dynamic version)",
        ),
        (
            HEAD + ALPHA.replace("registry", "registrar"),
            "uv.lock: package[0].source: has none of the known kinds "
            "(registry, git, url, path, directory, editable, virtual)",
        ),
        (
            HEAD + ROOT + ALPHA.replace(f'"sha256:{ONE}", upload-time', "7, upload-time"),
            "uv.lock: package[1].wheels[0].hash: is an integer, expected a string",
        ),
        (
            HEAD + ALPHA.replace(f'"sha256:{ONE}", size', '"sha256", size'),
            "uv.lock: package[0].sdist.hash: is not of the form algorithm:digest",
        ),
        (HEAD + ALPHA.replace("size = 10", "size = -1"), "uv.lock: package[0].sdist.size: is negative"),
        (
            HEAD + ROOT + 'dependencies = [{ name = "gone" }]\n',
            "uv.lock: package[0].dependencies[0].name: no package of the lock is named 'gone'",
        ),
        (
            HEAD + ROOT + 'dependencies = [{ name = "app", marker = "python_version >" }]\n',
            "uv.lock: package[0].dependencies[0].marker: is not a valid environment marker",
        ),
        (
            HEAD + ROOT + "dependencies = [{ name = 'app', marker = \"os_name ~= 'x'\" }]\n",
            "uv.lock: package[0].dependencies[0].marker: is not a valid environment marker",
        ),
        (
            HEAD + ROOT + '[package.optional-dependencies]\nx = [{ name = "app", extra = "y" }]\n',
            "uv.lock: package[0].optional-dependencies.x[0].extra: is a string, expected an array",
        ),
        (HEAD + '[manifest]\nmembers = ["x"]\n', "uv.lock: manifest.members[0]: no package of the lock is named 'x'"),
        ("a = " + "[" * 100_000, "uv.lock: nested too deeply"),
        ("version = " + "1" * 5000 + "\n", "uv.lock: "),
        (b"version = 1\n# \xff\n", "uv.lock:2: not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(LockError) as refusal:
        read(tmp_path, text)
    assert refusal.value.message.startswith(message)
    assert refusal.value.hint
    assert "\n" not in refusal.value.message


def test_markers_without_end_are_refused(tmp_path: Path) -> None:
    for marker in ("(" * 5000 + "os_name == 'x'" + ")" * 5000, "os_name == 'x' or " * 5000 + "os_name == 'x'"):
        with pytest.raises(LockError, match="marker: is"):
            read(tmp_path, f'{HEAD}{ROOT}dependencies = [{{ name = "app", marker = "{marker}" }}]\n')


def test_no_regular_file_of_any_size_hangs_or_fills_memory(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    with pytest.raises(LockError, match=r"^uv.lock: no such file$"):
        read_lock(Files(), str(path))
    os.mkfifo(path)
    with pytest.raises(LockError, match=r"^uv.lock: is a FIFO, not a regular file$"):
        read_lock(Files(), str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(LockError, match=r"^uv.lock: is a directory, not a regular file$"):
        read_lock(Files(), str(path))
    path.rmdir()
    path.write_text("#" * 1000)
    with pytest.raises(LockError, match="larger than the bound of 100 bytes"):
        read_lock(Files(limits=Limits(lock=100)), str(path))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("uv.lock", "version = 2", "version: is 2, envcheck reads version 1 of this format"),
        ("pylock.toml", "lock-version = '2.0'", "lock-version: is '2.0', envcheck reads version 1 of this format"),
        (
            "poetry.lock",
            "[metadata]\nlock-version = '3.0'",
            "metadata.lock-version: is '3.0', envcheck reads versions 1.0 to 2.1 of this format",
        ),
        (
            "pdm.lock",
            "[metadata]\nlock_version = '4.6'",
            "metadata.lock_version: is 4.6, envcheck reads version 4.0 to 4.5 of this format",
        ),
        (
            "Pipfile.lock",
            '{"_meta": {"pipfile-spec": 7}}',
            "_meta.pipfile-spec: is 7, envcheck reads 6 of this format",
        ),
    ],
)
def test_a_newer_format_is_refused_by_its_number(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LockError) as refusal:
        read_lock(Files(), str(tmp_path / name))
    assert refusal.value.message == f"{name}: {message}"
    assert "update envcheck" in refusal.value.hint


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("script.py.lock", HEAD, "uv"),
        ("requirements.lock", "# compiled\nalpha==1.0\n", "requirements"),
        ("pins.in", "alpha==1.0\n", "requirements"),
    ],
)
def test_a_format_is_recognised_by_name_and_content(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_lock(Files(), str(tmp_path / name)).format == kind


@pytest.mark.parametrize(
    ("before", "after", "rule", "message"),
    [
        (
            f', hash = "sha256:{ONE}", upload-time',
            ", upload-time",
            "lock-unhashed",
            "alpha 1.0: no hash for 1 of 2 archives",
        ),
        (f"sha256:{ONE}", f"md5:{'1' * 32}", "lock-weak-hash", "alpha 1.0: only md5 for alpha-1.0.tar.gz"),
        (
            f"sha256:{ONE}",
            f"sha256:{ONE[1:]}",
            "lock-weak-hash",
            "alpha 1.0: a malformed sha256 (63 characters) for alpha-1.0.tar.gz",
        ),
        (
            "files/alpha-1.0-py3",
            "files/alphb-1.0-py3",
            "lock-insecure-source",
            "alpha 1.0: 'alphb-1.0-py3-none-any.whl' is a wheel of another project",
        ),
        (
            "files/alpha-1.0-py3",
            "files/alpha-1.1-py3",
            "lock-insecure-source",
            "alpha 1.0: 'alpha-1.1-py3-none-any.whl' is a wheel of another version",
        ),
        (
            "files/alpha-1.0-py3",
            "files/..%2falpha-1.0-py3",
            "lock-insecure-source",
            "alpha 1.0: '../alpha-1.0-py3-none-any.whl' is not a plain file name",
        ),
        (
            "https://",
            "http://",
            "lock-insecure-source",
            "alpha 1.0 and what else comes from index.example is fetched over http, which anyone on the way can change",
        ),
    ],
)
def test_what_an_entry_is_not_good_for(tmp_path: Path, before: str, after: str, rule: str, message: str) -> None:
    lock = read(tmp_path, HEAD + ALPHA.replace(before, after))
    assert [(problem.rule, problem.message) for problem in lock.problems] == [(rule, message)]
