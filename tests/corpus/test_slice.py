"""A slice of the corpus: a few popular packages, installed by many tools, have no finding that anybody must look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import makers
from corpus.makers import Workshop
from corpus.run import SMALL, Row, judged
from corpus.slice import nearest

ROWS = (
    *SMALL,
    Row("uv copy", makers.small_by_uv(of_install=["--link-mode", "copy"])),
    Row("uv hardlink", makers.small_by_uv(of_install=["--link-mode", "hardlink"])),
    Row("uv symlink", makers.small_by_uv(of_install=["--link-mode", "symlink"])),
    Row(
        f"small by pip {makers.NEW_PIP}",
        makers.small_by_pip(makers.NEW_PIP),
        (
            ("... without its __pycache__", makers.without_bytecode),
            ("... after importing everything", makers.after_imports),
        ),
        ("--deep",),
    ),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    house = nearest()
    if not house.complete:
        pytest.skip("the wheels of the corpus are not in .venvs (make test, or make corpus, downloads them)")
    return Workshop(tmp_path_factory.mktemp("corpus"), house)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_clean_environment_has_no_finding_of_medium_or_above(shop: Workshop, row: Row) -> None:
    for result in judged(shop, row):
        if result.note and not result.failed:
            pytest.skip(result.note)
        assert not result.failed, result.note
        assert result.alarms == [], result.name
        assert result.environments, result.name


def test_an_altered_file_of_the_same_environment_is_an_alarm(shop: Workshop) -> None:
    """What the corpus asserts can fail."""

    def alter(made: makers.Made) -> None:
        (module,) = made.path.glob("lib/python3*/site-packages/six.py")
        module.write_bytes(module.read_bytes() + b"MARK = 1\n")

    row = Row("altered", makers.small_by_uv(), (("... altered", alter),))
    before, after = judged(shop, row)
    assert before.alarms == []
    (alarm,) = after.alarms
    assert "file-modified" in alarm and "/six.py" in alarm


def test_the_lock_of_the_slice_is_part_of_the_whole(shop: Workshop) -> None:
    lines = Path(shop.small_lock).read_text().splitlines()
    assert len([line for line in lines if "==" in line]) == len(makers.SMALL)
    assert all("--hash=" in line or "==" in line for line in lines)
