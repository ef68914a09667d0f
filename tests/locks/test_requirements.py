"""Requirements files as pip reads them; what cannot be read is told."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.files.root import Files
from envcheck.locks import entries
from envcheck.locks.read import read_lock
from envcheck.model.errors import LockError
from envcheck.model.lock import Lock

ONE, TWO = "1" * 64, "2" * 64


def read(directory: Path, text: str | bytes, name: str = "requirements.txt") -> Lock:
    path = directory / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_lock(Files(), str(path))


def unreadable(lock: Lock) -> list[str]:
    return [problem.message for problem in lock.problems if problem.rule == "lock-unreadable-entry"]


def test_a_compiled_file_with_hashes(tmp_path: Path) -> None:
    lock = read(
        tmp_path,
        f"""# compiled
alpha==1.0 \\
    --hash=sha256:{ONE} \\
    --hash sha256:{TWO.upper()}
    # via beta
beta[fast, slow]==2.0 ; python_version >= "3.9" and sys_platform != 'win32' --hash=sha256:{ONE}  # why
""",
    )
    alpha, beta = lock.packages
    assert (alpha.name, alpha.version, alpha.where) == ("alpha", "1.0", "line 2")
    assert alpha.artifacts[0].hashes == (("sha256", ONE), ("sha256", TWO))
    assert (beta.extras, beta.marker) == (("fast", "slow"), 'python_version >= "3.9" and sys_platform != "win32"')
    assert lock.requires_hashes
    assert lock.complete
    assert lock.problems == ()


def test_one_hash_switches_the_whole_file_and_what_has_none_is_told(tmp_path: Path) -> None:
    lock = read(tmp_path, f"alpha==1.0 --hash=sha256:{ONE}\nbeta==2.0\n")
    assert lock.requires_hashes
    assert [(problem.rule, problem.name) for problem in lock.problems] == [("lock-unhashed", "beta")]


@pytest.mark.parametrize(
    ("text", "complete"),
    [("alpha==1.0\nbeta===2.0\n", True), ("alpha==1.0\nbeta>=2\n", False), ("alpha==1.*\n", False), ("alpha\n", False)],
)
def test_a_file_is_complete_when_every_line_names_one_version(tmp_path: Path, text: str, complete: bool) -> None:
    assert read(tmp_path, text).complete is complete


def test_included_files_and_constraints_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "base.txt").write_text("alpha==1.0\n-c bounds.txt\n")
    (tmp_path / "base" / "bounds.txt").write_text("beta<3\n")
    lock = read(tmp_path, "-r base/base.txt\nbeta\n")
    assert [(p.name, p.version, p.specifier, p.constraint) for p in lock.packages] == [
        ("alpha", "1.0", None, False),
        ("beta", None, "<3", True),
        ("beta", None, None, False),
    ]


@pytest.mark.parametrize(
    "spelling", ["-r other.txt", "-rother.txt", "--requirement other.txt", "--requirement=other.txt"]
)
def test_every_spelling_of_an_include(tmp_path: Path, spelling: str) -> None:
    (tmp_path / "other.txt").write_text("alpha==1.0\n")
    assert [package.name for package in read(tmp_path, spelling + "\n").packages] == ["alpha"]


def test_files_that_include_one_another_are_told(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("-r requirements.txt\nalpha==1.0\n")
    lock = read(tmp_path, "-r other.txt\n")
    assert [package.name for package in lock.packages] == ["alpha"]
    assert unreadable(lock) == ["other.txt:1: the file includes itself: '-r requirements.txt'"]


def test_an_include_that_is_missing_or_a_fifo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LockError, match=r"^requirements.txt:2: gone.txt: no such file$"):
        read(tmp_path, "\n-r gone.txt\n")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(LockError, match=r"^requirements.txt:1: pipe.txt: is a FIFO, not a regular file$"):
        read(tmp_path, "-r pipe.txt\n")


def test_many_files_that_include_one_another_end(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n-r {number + 1}.txt\n")
    (tmp_path / "12.txt").write_text("alpha\n")
    with pytest.raises(LockError, match="more than 200 files"):
        read(tmp_path, "-r 0.txt\n")


@pytest.mark.parametrize(
    ("line", "kind", "name", "source", "commit"),
    [
        ("alpha @ https://index.example/alpha-1.0-py3-none-any.whl", "url", "alpha", None, None),
        (f"https://user:secret@index.example/alpha-1.0.tar.gz#sha256={ONE}", "url", "alpha", None, None),
        ("https://index.example/archive.zip#egg=alpha", "url", "alpha", None, None),
        ("https://index.example/archive.zip", "url", "", None, None),
        (f"git+https://code.example/a/alpha.git@{'a' * 40}#egg=alpha", "git", "alpha", None, "a" * 40),
        ("alpha @ git+ssh://git@code.example/alpha@main", "git", "alpha", "ssh://code.example/alpha", None),
        ("-e git+https://code.example/alpha#egg=alpha&subdirectory=x", "git", "alpha", None, None),
        ("./wheels/alpha-1.0-py3-none-any.whl", "path", "alpha", "{}/wheels/alpha-1.0-py3-none-any.whl", None),
        ("-e .", "editable", "home-made", "{}", None),
        ("./", "directory", "home-made", "{}", None),
        (".[extra] ; python_version > '3'", "directory", "home-made", "{}", None),
        ("-e file:///srv/alpha", "editable", "", "/srv/alpha", None),
    ],
)
def test_urls_paths_and_editables(
    tmp_path: Path, line: str, kind: str, name: str, source: str | None, commit: str | None
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "Home_Made"\n')
    lock = read(tmp_path, line + "\n")
    assert unreadable(lock) == []
    (package,) = lock.packages
    assert (package.source_kind, package.name, package.commit) == (kind, name, commit)
    assert "secret" not in str(package)
    if source is not None:
        assert package.source == source.format(tmp_path)


def test_a_branch_is_told(tmp_path: Path) -> None:
    lock = read(tmp_path, "alpha @ git+https://code.example/alpha@main\n")
    assert [problem.rule for problem in lock.problems] == ["lock-mutable-reference"]


def test_options_that_pip_knows_are_no_problem(tmp_path: Path) -> None:
    lock = read(
        tmp_path,
        "-i https://index.example/simple\n--extra-index-url=https://index.example/more\n--no-index\n-f ./wheels\n"
        "--only-binary :all:\n--no-binary=alpha\n--pre\n--require-hashes\n--trusted-host index.example\n"
        f'alpha==1.0 --config-settings "a=b" --global-option="--x" --hash=sha256:{ONE}\n',
    )
    assert lock.problems == ()
    assert lock.requires_hashes
    assert [package.name for package in lock.packages] == ["alpha"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--frobnicate", "the option '--frobnicate' is not one that envcheck knows"),
        ("--requ other.txt", "the option '--requ' is not one that envcheck knows"),
        ("alpha ==== 1", "not a requirement that can be read"),
        ("alpha==1.0 --hash=sha256", "a --hash is not of the form algorithm:digest"),
        ("alpha==1.0 beta==2.0", "not a requirement that can be read"),
        ("аlpha==1.0", "not a requirement that can be read"),
        ("${PACKAGE}==1.0", "not a requirement that can be read"),
        ("-r https://index.example/r.txt", "a file at a URL is not fetched"),
        ("-r pylock.toml", "a pylock file inside a requirements file is not read"),
        ("-r ${HOME}/r.txt", "the name depends on an environment variable"),
        ("-r", "the option '-r' has no value"),
        ('alpha --config-settings "a', "a quotation mark is not closed"),
        ("alpha; python_version >", "not a requirement that can be read"),
        (f"--hash=sha256:{ONE}", "a --hash without a requirement that it could hold for"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_number(tmp_path: Path, line: str, why: str) -> None:
    lock = read(tmp_path, f"# first\nbeta==2.0\n{line}\ngamma==3.0\n")
    assert unreadable(lock) == [f"requirements.txt:3: {why}: {line!r}"]
    assert [package.name for package in lock.packages] == ["beta", "gamma"]


def test_lines_end_where_pip_ends_them(tmp_path: Path) -> None:
    lock = read(tmp_path, "alpha==1.0 # comment\u2028evil==6.6\x0cmore==1\nbeta==1#no-comment\n")
    assert [package.name for package in lock.packages] == ["alpha", "evil", "more"]
    assert len(unreadable(lock)) == 1


def test_a_comment_line_ends_a_joined_line(tmp_path: Path) -> None:
    lock = read(tmp_path, f"alpha==1.0 \\\n  # why \\\nbeta==2.0 \\\n  --hash=sha256:{ONE}\n")
    assert [package.name for package in lock.packages] == ["alpha", "beta"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "alpha==1.0\n".encode(encoding)).packages[0].name == "alpha"


def test_an_encoding_cookie(tmp_path: Path) -> None:
    assert read(tmp_path, b"# coding: latin-1\n# \xe9\nalpha==1.0\n").packages[0].name == "alpha"
    with pytest.raises(LockError, match="names the encoding 'utf-7'"):
        read(tmp_path, b"# coding: utf-7\nalpha==1.0\n")
    with pytest.raises(LockError, match=r"requirements.txt: line 2 is not utf-8"):
        read(tmp_path, b"alpha==1.0\n\xff\n")


def test_weak_hashes_and_plain_http_are_told_once(tmp_path: Path) -> None:
    lock = read(
        tmp_path,
        f"alpha==1.0 --hash=md5:{'a' * 32}\nbeta==1.0 --hash=sha256:{'a' * 63}\n"
        f"http://index.example/gamma-1.0-py3-none-any.whl#sha256={ONE}\n"
        f"http://index.example/delta-1.0-py3-none-any.whl#sha256={ONE}\n"
        f"http://127.0.0.1:8000/zeta-1.0-py3-none-any.whl#sha256={ONE}\n",
    )
    assert [(problem.rule, problem.name) for problem in lock.problems] == [
        ("lock-weak-hash", "alpha"),
        ("lock-weak-hash", "beta"),
        ("lock-insecure-source", "gamma"),
    ]


@pytest.mark.parametrize("option", ["-i ", "--index-url=", "--extra-index-url ", "-f", "--find-links "])
def test_an_index_that_is_asked_without_encryption(tmp_path: Path, option: str) -> None:
    for host, plain in (("http://me:secret@Index.example/simple", True), ("http://127.0.0.1:8000/simple", False)):
        lock = read(tmp_path, f"{option}{host}\nalpha==1.0 --hash=sha256:{ONE}\n")
        message = "what comes from the index at index.example is fetched over http, which anyone on the way can change"
        told = [(problem.rule, problem.where, problem.message) for problem in lock.problems]
        assert told == ([("lock-insecure-source", "line 1", message)] if plain else [])


@given(st.text(alphabet="ab-=:'\"\\ \t\x0c\xa0#", max_size=30))
def test_words_are_those_of_a_shell(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(entries.Wrong):
            entries._words(text)
    else:
        assert entries._words(text) == expected
