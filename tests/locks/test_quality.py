"""What a lock is not good for: odd names, build code, cooldown, other targets; and `envcheck lock`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from envcheck.cli.main import main
from envcheck.files.root import Files
from envcheck.locks.builds import backend_of, built_here
from envcheck.locks.quality import outside
from envcheck.locks.read import read_lock
from envcheck.locks.report import Judged, judge
from envcheck.locks.targets import accepted, fits
from envcheck.model.environment import Python
from envcheck.model.inventory import Distribution
from support.samples import PYTHON

LINUX = ("3.12.1", "linux-x86_64-glibc2.36")
SHA = "0" * 64
DAY = 86_400
NOW = 1_790_000_000.0
"""2026-09-21."""


def uv(directory: Path, *packages: str, options: str = "", project: str = "") -> Path:
    """A uv.lock of a project that depends on the packages (``name version file file@time …``)."""
    text = f"version = 1\nrequires-python = '>=3.9'\n{options}\n"
    names = []
    for package in packages:
        name, version, *files = package.split()
        names.append(name)
        rows = {"wheels": "", "sdist": ""}
        for file in files:
            filename, _, when = file.partition("@")
            time = f", upload-time = '{when}'" if when else ""
            row = f"{{ url = 'https://files.index.example/{filename}', hash = 'sha256:{SHA}'{time} }}"
            if filename.endswith(".whl"):
                rows["wheels"] += row + ","
            else:
                rows["sdist"] = row
        text += f"[[package]]\nname = '{name}'\nversion = '{version}'\n"
        text += "source = { registry = 'https://index.example/simple' }\n"
        text += f"wheels = [{rows['wheels']}]\n" + (f"sdist = {rows['sdist']}\n" if rows["sdist"] else "")
    edges = ", ".join(f"{{ name = '{name}' }}" for name in names)
    text += f"[[package]]\nname = 'shop'\nversion = '1'\nsource = {{ virtual = '.' }}\ndependencies = [{edges}]\n"
    (directory / "uv.lock").write_text(text)
    if project:
        (directory / "pyproject.toml").write_text(project)
    return directory / "uv.lock"


def judged(path: Path, target: tuple[str, str] = LINUX, **options: object) -> Judged:
    return judge(Files(), str(path), target, **options)  # type: ignore[arg-type]


def rules(found: Judged) -> list[tuple[str, str | None]]:
    return [(problem.rule, problem.name) for problem in found.problems]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (LINUX, {"docopt", "newer"}),
        (("3.12", "linux-x86_64-glibc2.40"), {"docopt"}),
        (("3.12", "linux-x86_64-musl1.2"), {"docopt", "native", "newer"}),
        (("3.12", "linux-x86_64"), {"docopt", "native", "newer"}),
        (("3.12", "linux-aarch64-glibc2.36"), {"docopt", "native", "newer"}),
        (("3.13", "linux-x86_64-glibc2.40"), {"docopt", "native"}),
        (("3.12", "macos-arm64"), {"docopt", "newer"}),
        (("3.12", "windows-amd64"), {"docopt", "native", "newer"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_packages_without_a_wheel_for_the_target_run_build_code(
    tmp_path: Path, target: tuple[str, str], expected: set[str]
) -> None:
    lock = uv(
        tmp_path,
        "docopt 0.6.2 docopt-0.6.2.tar.gz",
        "native 1 native-1.tar.gz native-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl "
        "native-1-cp312-cp312-macosx_11_0_arm64.whl",
        "newer 1 newer-1.tar.gz newer-1-cp311-abi3-manylinux_2_39_x86_64.whl",
        "pure 1 pure-1.tar.gz pure-1-py3-none-any.whl",
        "absent 1 absent-1-cp312-cp312-win32.whl",
    )
    found = judged(lock, target)
    assert {build.package.name for build in found.builds} == expected
    exempt = ", ".join(f'"{name}"' for name in sorted(expected))
    assert found.settings == ("[tool.uv]", "no-build = true", f"no-binary-package = [{exempt}]")


def test_where_builds_are_forbidden_nothing_is_found(tmp_path: Path) -> None:
    lock = uv(tmp_path, "docopt 1 docopt-1.tar.gz", project="[tool.uv]\nno-build = true\n")
    assert rules(judged(lock)) == []
    uv(
        tmp_path,
        "docopt 1 docopt-1.tar.gz",
        "other 1 other-1.zip",
        project="[tool.uv]\nno-build-package = ['docopt']\n",
    )
    assert rules(judged(lock)) == [("lock-sdist", "other")]


@pytest.mark.parametrize(
    ("lines", "built"),
    [
        ("--no-binary :all:", {"alpha", "beta"}),
        ("--no-binary alpha", {"alpha"}),
        ("--no-binary=Alpha,beta", {"alpha", "beta"}),
        ("--no-binary alpha\n--no-binary :none:", set()),
        ("--no-binary :all:\n--only-binary beta", {"alpha"}),
        ("--no-binary alpha\n--only-binary :all:", set()),
        ("--only-binary :all:\n--no-binary alpha", {"alpha"}),
        ("--only-binary :all: --no-binary alpha", {"alpha"}),
        ("--no-binary :all:,:none:,beta", {"beta"}),
        ("# --no-binary alpha", set()),
    ],
)
def test_what_a_requirements_file_has_built(tmp_path: Path, lines: str, built: set[str]) -> None:
    """The last word counts, as for pip."""
    path = tmp_path / "requirements.txt"
    path.write_text(f"{lines}\nalpha==1 --hash=sha256:{SHA}\nbeta==1 --hash=sha256:{SHA}\n")
    found = judged(path)
    assert {build.package.name for build in found.builds} == built
    assert rules(found) == [("lock-sdist", name) for name in sorted(built)]


@pytest.mark.parametrize(
    ("text", "script", "words"),
    [
        ("[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['.']\n", False, "its own backend b in ."),
        ("[build-system]\nrequires = []\nbuild-backend = 'setuptools.build_meta'\n", True, "which runs its setup.py"),
        ("", True, "setuptools, which runs its setup.py"),
        ("[build-system]\nbuild-backend = 7\n", False, "does not name rightly"),
    ],
)
def test_what_builds_a_directory(tmp_path: Path, text: str, script: bool, words: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    if script:
        (tmp_path / "setup.py").write_text("")
    assert words in backend_of(Files(), str(tmp_path))


def test_a_wheel_that_the_lock_does_not_have_was_built_here(tmp_path: Path) -> None:
    lock = read_lock(Files(), str(uv(tmp_path, "native 1 native-1-cp312-cp312-win32.whl native-1-py3-none-any.whl")))
    info = tmp_path / "native-1.dist-info"
    info.mkdir()
    found = Distribution("native", "1", str(info), str(tmp_path))
    entries = [package for package in lock.packages if package.name == "native"]
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    assert built_here(Files(), found, entries) is None
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp312-cp312-linux_x86_64\n")
    assert built_here(Files(), found, entries) == "is of a wheel (cp312-cp312-linux_x86_64) that the lock does not have"
    assert built_here(Files(), found._replace(locally_built=True), entries) is not None


def test_cooldown_counts_days_of_the_newest_usable_archive(tmp_path: Path) -> None:
    lock = uv(
        tmp_path,
        "young 1 young-1-py3-none-any.whl@2026-09-19T00:00:00Z",
        "old 1 old-1-py3-none-any.whl@2026-01-01T00:00:00Z",
        "late 1 late-1.tar.gz@2026-01-01T00:00:00Z late-1-py3-none-any.whl@2026-06-01T00:00:00.5Z",
        "elsewhere 1 elsewhere-1-cp312-cp312-win32.whl@2026-09-20T00:00:00Z elsewhere-1-py3-none-any.whl@2026-01-01",
        options="[options]\nexclude-newer = '0001-01-01T00:00:00Z'\nexclude-newer-span = 'P7D'\n",
    )
    found = judged(lock, cooldown=7, now=NOW)
    assert rules(found) == [("lock-too-new", "young"), ("lock-too-new", "late")]
    assert "added 151 days after" in found.problems[1].message
    assert rules(judged(lock, cooldown=1, now=NOW)) == [("lock-too-new", "late")]
    uv(tmp_path, "old 1 old-1-py3-none-any.whl@2026-01-01T00:00:00Z")
    (problem,) = judged(lock, cooldown=7, now=NOW).problems
    assert "made without exclude-newer" in problem.message


def test_a_format_without_upload_times_says_so(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"alpha==1 --hash=sha256:{SHA}\n")
    (problem,) = judged(tmp_path / "requirements.txt", cooldown=7, now=NOW).problems
    assert problem.message == "the age of no archive is known: this requirements lock has no upload times"


def test_an_index_of_pipenv_that_is_asked_without_encryption(tmp_path: Path) -> None:
    sources = [{"name": "a", "url": f"{url}/simple"} for url in ("https://a.example", "http://index.example:80")]
    lock = {"_meta": {"pipfile-spec": 6, "hash": {"sha256": SHA}, "requires": {}, "sources": sources}, "default": {}}
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    (problem,) = judged(tmp_path / "Pipfile.lock").problems
    assert (problem.rule, problem.where) == ("lock-insecure-source", "_meta.sources[1]")
    assert "the index at index.example:80 is fetched over http" in problem.message


@pytest.mark.parametrize(
    "entry",
    [
        "alpha 1 alpha-1-py3-none-any.whl\u200b",
        "alpha 1 \u0430lpha-1-py3-none-any.whl",
        "alpha 1\u00ad alpha-1-py3-none-any.whl",
    ],
)
def test_characters_that_do_not_show(tmp_path: Path, entry: str) -> None:
    assert ("lock-insecure-source", "alpha") in rules(judged(uv(tmp_path, entry)))


def test_two_names_that_look_the_same(tmp_path: Path) -> None:
    lock = uv(tmp_path, "urllib3 1 urllib3-1-py3-none-any.whl", "urlllb3 1 urlllb3-1-py3-none-any.whl")
    (problem,) = judged(lock).problems
    assert problem.message == "urlllb3 1 has a name that looks like urllib3"


def test_names_that_only_a_hyphen_tells_apart_are_two_names(tmp_path: Path) -> None:
    lock = uv(
        tmp_path, "uri-template 1 uri_template-1-py3-none-any.whl", "uritemplate 1 uritemplate-1-py3-none-any.whl"
    )
    assert judged(lock).problems == ()


def test_the_developments_own_pins_have_no_look_alikes() -> None:
    for name in ("requirements.txt", "requirements-locks.txt", "bench/target.txt"):
        path = Path(__file__).parent.parent / name
        assert read_lock(Files(), str(path)).problems == (), name


def test_a_lock_for_another_python(tmp_path: Path) -> None:
    lock = uv(tmp_path)
    (problem,) = judged(lock, ("3.8.1", LINUX[1])).problems
    assert (problem.rule, problem.message) == ("lock-not-for-target", "uv.lock is for Python >=3.9, this is 3.8.1")


def test_uv_is_stale_by_name_and_version_but_not_by_marker(tmp_path: Path) -> None:
    lock = uv(tmp_path, "alpha 1 alpha-1-py3-none-any.whl")
    lock.write_text(
        lock.read_text() + "[package.metadata]\nrequires-dist = [{ name = 'alpha', specifier = '>=1.0,<2' }]\n"
    )
    for requirements, stale in (
        (["alpha<2,>=1"], False),
        (["Alpha >=1.0, <2.0; os_name == 'posix'"], False),
        (["alpha>=1"], True),
        (["alpha<2,>=1", "beta"], True),
    ):
        text = f"[project]\nname = 'shop'\ndependencies = {json.dumps(requirements)}\n"
        (tmp_path / "pyproject.toml").write_text(text)
        assert (("lock-stale", None) in rules(judged(lock))) is stale, requirements


def test_tags_of_an_unknown_platform_are_none() -> None:
    assert accepted(PYTHON._replace(platform="unknown")) == ()
    assert accepted(PYTHON._replace(implementation="pypy")) == ()
    (tags,) = accepted(Python("3.13.0", "binary", "cpython", "cp313t", "linux-x86_64-glibc2.36", None, "", True))
    assert fits("a-1-cp313-cp313t-manylinux_2_28_x86_64.whl", tags)
    assert not fits("a-1-cp313-cp313-manylinux_2_28_x86_64.whl", tags)
    assert not fits("a-1-cp313-abi3-manylinux_2_28_x86_64.whl", tags)


def test_the_command_fails_at_its_threshold_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    lock = uv(tmp_path, "docopt 1 docopt-1.tar.gz")
    arguments = ["lock", str(lock), "--python", "3.12", "--platform", LINUX[1]]
    assert main(arguments) == 0
    assert main([*arguments, "--fail-on", "low"]) == 1
    assert main([*arguments, "--lock-sha256", "0" * 64]) == 2
    lock.write_text(lock.read_text().replace("https:", "http:"))
    assert main(arguments) == 1
    lock.write_text("version = 9")
    assert main(arguments) == 2
    assert main(["lock", str(lock), "--platform", "beos"]) == 2
    os.unlink(lock)
    assert main(arguments) == 2


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("../shared", "../shared"), ("libs/../../shared", "../shared"), ("..", ".."), ("..\\shared", "../shared"),
        ("/srv/shared", "../shared"), ("libs/../shared", None), ("./shared", None), ("shared/..", None),
        ("..shared", None), ("/srv/project/x", None), (None, None), ("https://index.example/../x", None),
    ],
)  # fmt: skip
def test_a_directory_outside_of_the_locks_own_is_told(path: str | None, seen: str | None) -> None:
    assert outside("/srv/project", path) == seen


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "-e ../shared#egg=shared\n"),
        ("uv.lock", "version = 1\n[[package]]\nname = 'shared'\nversion = '1'\nsource = {editable = '../shared'}\n"),
    ],
)
def test_an_editable_outside_of_the_locks_directory_is_a_note(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "project").mkdir()
    lock = tmp_path / "project" / name
    lock.write_text(text)
    (problem,) = (one for one in read_lock(Files(), str(lock)).problems if one.rule == "lock-path-outside")
    assert problem.message.endswith("is taken from ../shared, outside of the directory of the lock")


def test_options_of_included_files_count_for_builds_too(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(f"-r base.txt\nalpha==1 --hash=sha256:{SHA}\n")
    (tmp_path / "base.txt").write_text("--no-binary=alpha\n")
    assert {build.package.name for build in judged(path).builds} == {"alpha"}
    (tmp_path / "base.txt").write_text("--requirement=deep/more.txt\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/more.txt").write_text("--no-binary :all:\n")
    assert {build.package.name for build in judged(path).builds} == {"alpha"}
