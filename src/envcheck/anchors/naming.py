"""A wheel that was read into the file name that its maker gave it: caches keep archives under other names."""

from __future__ import annotations

import re

from envcheck.anchors.wheel import WheelRead

LONGEST = 255
"""Bytes of a file name, as file systems have them."""
_TAG = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+")
_BUILD = re.compile(r"[0-9][A-Za-z0-9_.]*")
_MOST_TAGS = 64


def own_name(read: WheelRead) -> str | None:
    """``NAME-VERSION[-BUILD]-TAGS.whl`` by its metadata; ``None`` where that has no tags."""
    text = read.texts.get(f"{read.info}/WHEEL")
    if text is None:
        return None
    fields = [line.partition(":") for line in text.decode("utf-8", "replace").splitlines()]
    tags = [value.strip() for key, _, value in fields if key.lower() == "tag"][:_MOST_TAGS]
    builds = [value.strip() for key, _, value in fields if key.lower() == "build"]
    if not tags or not all(_TAG.fullmatch(tag) for tag in tags):
        return None
    build = f"-{builds[0]}" if builds and _BUILD.fullmatch(builds[0]) else ""
    project, _, version = read.info.removesuffix(".dist-info").rpartition("-")
    stem = f"{project.replace('-', '_')}-{version}{build}"
    columns = zip(*(tag.split("-") for tag in tags), strict=True)
    name = f"{stem}-{'-'.join('.'.join(dict.fromkeys(column)) for column in columns)}.whl"
    short = f"{stem}-{tags[0]}.whl"
    return next((one for one in (name, short) if len(one.encode("utf-8", "replace")) <= LONGEST), None)
