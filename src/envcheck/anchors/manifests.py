"""A wheel that was read into its canonical manifests: digests by RECORD, or by the members' own bytes."""

from __future__ import annotations

from envcheck.anchors.layout import Reading, readings
from envcheck.anchors.wheel import WheelRead, project_of
from envcheck.formats.archive import Oddity
from envcheck.formats.manifest import PYTHON, is_left_out, manifest_digest
from envcheck.formats.record import hash_field, read_hash
from envcheck.model.anchor import Manifest


def manifest_digests(read: WheelRead) -> tuple[tuple[str, ...], list[Oddity]]:
    """The digest of each reading, and what is odd about where members go.

    Where a member was not unpacked, RECORD's hash stands for it.
    """
    ways, odd = _readings(read)
    return tuple(manifest_digest(_files(read, reading)) for reading in ways), odd


def manifests(read: WheelRead) -> tuple[Manifest, ...]:
    """Each reading in full; every member must have been unpacked."""
    rows = _rows(read)
    found = []
    for reading in _readings(read)[0]:
        files = _files(read, reading)
        contents = {location: read.contents[reading.members[location]] for location in files}
        listed = {}
        for location in files:
            field = rows.get(reading.members[location], "")
            if field != hash_field(contents[location].sha256):
                listed[location] = field
        found.append(
            Manifest(
                files,
                {location: content.size for location, content in contents.items()},
                {location: content.sha256.hex() for location, content in contents.items()},
                listed,
            )
        )
    return tuple(found)


def member_of(read: WheelRead, location: str) -> str | None:
    """The member that is installed at a location."""
    for reading in _readings(read)[0]:
        if location in reading.members:
            return reading.members[location]
    return None


def _readings(read: WheelRead) -> tuple[list[Reading], list[Oddity]]:
    names = [entry.name for entry in read.archive.safe]
    return readings(names, read.info, project_of(read.info))


def _rows(read: WheelRead) -> dict[str, str]:
    record = read.record
    return {} if record is None else dict(zip(record.paths, record.hashes, strict=True))


def _files(read: WheelRead, reading: Reading) -> dict[str, str]:
    """Digest by location, without what installers make themselves."""
    rows, contents, scripts = _rows(read), read.contents, reading.scripts
    files: dict[str, str] = {}
    for location, member in reading.members.items():
        content = contents.get(member)
        if content is None:
            files[location] = rows[member][7:]
        elif member in scripts and content.body is not None:
            files[location] = PYTHON + hash_field(content.body)[7:]
        else:
            files[location] = hash_field(content.sha256)[7:]
    left_out = [place for place in files if is_left_out(place, read.info, files, read.declared)]
    for location in left_out:
        del files[location]
    return files


def odd_rows(read: WheelRead) -> list[tuple[str, str]]:
    """Rows of the wheel's own RECORD that are not as they should be, and how; every member must have been unpacked."""
    record = read.record
    if record is None:
        return []
    found = [(f"line {line}", why) for line, why in record.invalid]
    seen: set[str] = set()
    members = {entry.name for entry in read.archive.safe}
    info = read.info
    for path, field in zip(record.paths, record.hashes, strict=True):
        if not path or path == f"{info}/RECORD":
            continue
        if path in seen:
            found.append((path, "is listed twice"))
        seen.add(path)
        if path not in members:
            found.append((path, "is listed, and not in the wheel"))
            continue
        claimed = read_hash(field)
        content = read.contents.get(path)
        if claimed.kind != "strong":
            found.append((path, {"none": "has no hash", "weak": f"has a weak hash ({claimed.algorithm})"}.get(
                claimed.kind, "has a hash that cannot be understood")))  # fmt: skip
        elif claimed.algorithm == "sha256" and content is not None and claimed.digest != content.sha256:
            found.append((path, "has another hash than its bytes"))
    for member in sorted(members - seen - {f"{info}/RECORD", f"{info}/RECORD.jws", f"{info}/RECORD.p7s"}):
        found.append((member, "is in the wheel, and not listed"))
    return found
