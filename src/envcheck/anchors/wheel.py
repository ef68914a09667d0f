"""A range of a file that may be a locked wheel into its hashes, its members and what they hold, in one pass.

Its directory, RECORD and entry points are read first; every byte that was read is held against those that are hashed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from envcheck.anchors.layout import metadata_directory
from envcheck.anchors.members import Content, Unpacking
from envcheck.files.ranges import Expected, Piece, Range
from envcheck.files.root import Files
from envcheck.formats.archive import (
    AMBIGUOUS,
    Archive,
    Entry,
    Oddity,
    read_archive,
)
from envcheck.formats.entrypoints import parse_entry_points
from envcheck.formats.localheaders import LocalHeaders, data_start, header_end
from envcheck.formats.manifest import script_names
from envcheck.formats.record import Rows, parse
from envcheck.model.anchor import Held
from envcheck.model.inventory import normalize_name
from envcheck.model.nouns import NamedTuple

_MAX_TEXT = 64 << 20
_HEAD = 512
_CHANGED = Oddity("inconsistent", "it was changed while it was read")


class WheelRead(NamedTuple):
    """What a wheel holds. Only what stands in ``certain`` ones, whose hash is a locked one, proves anything."""

    hashes: dict[str, str]
    """By algorithm, hex."""
    archive: Archive
    oddities: tuple[Oddity, ...]
    info: str = ""
    """The name of its ``.dist-info`` directory."""
    record: Rows | None = None
    declared: frozenset[str] = frozenset()
    """The names of the scripts that it has installers make."""
    contents: dict[str, Content] = {}  # noqa: RUF012 - read, never written
    """What was unpacked, by member."""
    texts: dict[str, bytes] = {}  # noqa: RUF012 - read, never written
    """The bytes of its metadata files that are read anyway, and of the members that were asked for whole."""

    @property
    def certain(self) -> bool:
        """Whether it has one content, and a wheel's."""
        return self.record is not None and not any(oddity.kind in AMBIGUOUS for oddity in self.oddities)


def read_wheel(
    files: Files,
    held: Held,
    name: str,
    algorithms: Sequence[str],
    members: Collection[str] | None = (),
    keep: Collection[str] = (),
) -> WheelRead:
    """Hash all of it; unpack ``members`` (``None``: all, and those whose RECORD row is of no use anyway).

    ``keep`` are members whose bytes are wanted. Raises `Unreadable`.
    """
    with Range(files, held.path, held.offset, held.length) as wheel:
        return _Reading(wheel, name, keep).read(algorithms, members)


def project_of(info: str) -> str:
    """The name that a metadata directory's own name begins with."""
    return info.removesuffix(".dist-info").rpartition("-")[0]


class _Reading:
    """One wheel being read."""

    def __init__(self, wheel: Range, name: str, keep: Collection[str]) -> None:
        self._wheel = wheel
        self._name = name
        self._keep = keep
        self._archive = read_archive(wheel.read_at, wheel.size)
        self._odd = list(self._archive.oddities)
        self._pieces: list[Piece] = []
        self._expected: list[Expected] = []
        self._starts: dict[int, int] = {}
        self._contents: dict[str, Content] = {}
        self._texts: dict[str, bytes] = {}

    def read(self, algorithms: Sequence[str], members: Collection[str] | None) -> WheelRead:
        """In one pass over its bytes."""
        archive = self._archive
        by_name = {entry.name: entry for entry in archive.safe}
        info = self._metadata(by_name) if archive.entries else None
        if info is None or self._doubtful():
            # Also where members overlap: pieces must not.
            return WheelRead(self._wheel.hash(algorithms), archive, tuple(self._odd))
        data = self._text(by_name.get(f"{info}/RECORD"))
        record = None if data is None else parse(data)
        if record is None:
            self._odd.append(Oddity("no-wheel", "has no RECORD that can be read"))
        self._text(by_name.get(f"{info}/WHEEL"))
        points = self._text(by_name.get(f"{info}/entry_points.txt"))
        declared = script_names(parse_entry_points(points)) if points is not None else frozenset()
        wanted = (
            list(by_name) if members is None else [*members, *self._unproven(by_name, record, {*members, *self._keep})]
        )
        unpacking = self._unpack([by_name[one] for one in dict.fromkeys((*wanted, *self._keep)) if one in by_name])
        self._expect(*archive.directory)
        in_order = sorted(archive.entries, key=lambda entry: entry.offset)
        headers = LocalHeaders(in_order)
        self._pieces += [Piece(entry.offset, header_end(entry), headers.feed) for entry in in_order]
        self._pieces.sort(key=lambda piece: piece.start)
        hashes = self._wheel.hash(algorithms, self._pieces)
        self._odd += headers.oddities(self._wheel.read_at, archive)
        if not all(expected.same for expected in self._expected) or any(
            headers.starts.get(offset) != start for offset, start in self._starts.items()
        ):
            return WheelRead(hashes, archive, (*self._odd, _CHANGED))
        self._finish(unpacking)
        return WheelRead(hashes, archive, tuple(self._odd), info, record, declared, self._contents, self._texts)

    def _doubtful(self) -> bool:
        return any(oddity.kind in AMBIGUOUS for oddity in self._odd)

    def _metadata(self, names: Collection[str]) -> str | None:
        """The one metadata directory, which must bear the wheel's own name."""
        found = metadata_directory(names)
        if len(found) != 1:
            self._odd.append(Oddity("no-wheel", f"has {len(found)} .dist-info directories"))
            return None
        if normalize_name(project_of(found[0])) != self._name:
            self._odd.append(Oddity("no-wheel", f"is a wheel of {found[0].removesuffix('.dist-info')}"))
            return None
        return found[0]

    def _start(self, entry: Entry) -> int | None:
        """Where a member's bytes begin; what its header says is held against the bytes that are hashed."""
        start, why = data_start(entry, self._wheel.read_at(entry.offset, header_end(entry) - entry.offset))
        if why is not None or start + entry.compressed > self._archive.directory[0]:
            return None  # told when all headers are read
        self._starts[entry.offset] = start
        return start

    def _text(self, entry: Entry | None) -> bytes | None:
        """The whole content of a member that must be known before the rest is read."""
        start = None if entry is None or entry.size > _MAX_TEXT else self._start(entry)
        if entry is None or start is None:
            return None
        data = self._wheel.read_at(start, entry.compressed)
        self._expect(start, data)
        unpacking = Unpacking(entry, keep=True)
        unpacking.feed(memoryview(data))
        content = unpacking.content()
        if content is None:
            self._odd.append(Oddity("damaged", "does not hold what its header promises", entry.name))
            return None
        self._contents[entry.name] = content
        self._texts[entry.name] = unpacking.kept()
        return self._texts[entry.name]

    def _unproven(self, by_name: Mapping[str, Entry], record: Rows | None, asked: Collection[str]) -> list[str]:
        """Members that RECORD gives no sha256 in the usual form for, and scripts whose first line is replaced."""
        rows = dict(zip(record.paths, record.hashes, strict=True)) if record is not None else {}
        return [
            name
            for name in by_name
            if len(row := rows.get(name, "")) != 50
            or not row.startswith("sha256=")
            or (".data/scripts/" in name and name not in asked and self._is_rewritten(by_name[name]))
        ]

    def _is_rewritten(self, entry: Entry) -> bool:
        """Whether installers replace a script's first line; programs of many megabytes are shipped as scripts too."""
        start = self._start(entry)
        if start is None:
            return True
        data = self._wheel.read_at(start, min(entry.compressed, _HEAD))
        unpacking = Unpacking(entry)
        if unpacking.begins_with_python(data):
            return True
        self._expect(start, data)
        return False

    def _unpack(self, entries: Sequence[Entry]) -> list[tuple[Entry, Unpacking]]:
        found = []
        for entry in entries:
            start = None if entry.name in self._contents else self._start(entry)
            if start is not None:
                unpacking = Unpacking(entry, entry.name in self._keep)
                self._pieces.append(Piece(start, start + entry.compressed, unpacking.feed))
                found.append((entry, unpacking))
        return found

    def _expect(self, offset: int, data: bytes) -> None:
        expected = Expected(data)
        self._expected.append(expected)
        self._pieces.append(Piece(offset, offset + len(data), expected.feed))

    def _finish(self, unpacking: list[tuple[Entry, Unpacking]]) -> None:
        for entry, one in unpacking:
            content = one.content()
            if content is None:
                self._odd.append(Oddity("damaged", "does not hold what its header promises", entry.name))
                continue
            self._contents[entry.name] = content
            if entry.name in self._keep:
                self._texts[entry.name] = one.kept()
