"""A slice of the corpus: each kind of witness proves each installer's environment, all of it, and they agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus.makers import SMALL, Workshop, own_minor
from corpus.slice import nearest
from corpus.witnesses import Bench, Row, compared, failures
from locks.indexes import Index
from support.servers import CACHEABLE


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    house = nearest()
    if not house.complete:
        pytest.skip("the wheels of the corpus are not in .venvs (make test, or make corpus, downloads them)")
    with Index(house.wheels(SMALL), CACHEABLE) as index:
        yield Bench(Workshop(tmp_path_factory.mktemp("witnesses"), house), index, SMALL, own_minor())


@pytest.fixture(scope="module")
def rows(bench: Bench) -> list[Row]:
    return compared(bench)


def test_every_witness_proves_every_member_of_every_wheel(bench: Bench, rows: list[Row]) -> None:
    assert failures(bench, rows) == []
    assert {row.source for row in rows} == {"wheels", "cache", "file"}
    assert len(rows) == 30 and all(len(row.assurances) == len(SMALL) for row in rows)


def test_a_file_that_was_altered_is_seen_by_every_witness(bench: Bench, rows: list[Row]) -> None:
    """What is asserted of clean ones can fail."""
    environment = bench.folder / "project" / ".venv"
    (module,) = environment.glob("lib/python3*/site-packages/six.py")
    content = module.read_bytes()
    module.unlink()  # uv's cache has the same file
    module.write_bytes(content + b"MARK = 1\n")
    for witness in bench.witnesses(bench.uv_lock):
        row = bench.scan("uv", environment, bench.uv_lock, witness)
        assert any(one.startswith("file-modified") and "/six.py" in one for one in row.findings), witness.name
        assert row.assurances["six"] == "modified"
        assert failures(bench, [row])
