"""A lock's state against the HEAD of the Git repository that it lies in, by reading ``.git``: git is never started."""

from __future__ import annotations

import hashlib
import os
import re

from envcheck.files.root import Files, Unreadable
from envcheck.locks.objects import Objects, Unknown
from envcheck.model.lock import Repository

MAX_UP = 40
MAX_REFERENCES = 8
MAX_PACKED_REFS = 16 << 20
_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def lock_state(files: Files, path: str, data: bytes) -> Repository:
    """Whether HEAD has the lock with these bytes; ``unknown`` with a clause where that cannot be told."""
    try:
        real = files.realpath(path)
    except Unreadable as error:
        return Repository("unknown", why=error.why)
    top = work_tree(files, os.path.dirname(real))
    if top is None:
        return Repository("none")
    try:
        commit = head(files, top)
        if commit is None:
            return Repository("untracked", why="the repository has no commit")
        return _against(files, top, commit, os.path.relpath(real, top), data)
    except Unknown as error:
        return Repository("unknown", why=str(error))


def work_tree(files: Files, directory: str) -> str | None:
    """The root of the Git work tree that a directory lies in."""
    for _ in range(MAX_UP):
        if files.exists(os.path.join(directory, ".git")):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return None


def head(files: Files, top: str) -> str | None:
    """The commit that HEAD names; ``None`` before the first one. Raises `Unknown`."""
    own, common = _directories(files, top)
    text = _text(files, os.path.join(own, "HEAD"))
    for _ in range(MAX_REFERENCES):
        if text is None:
            return None
        if _NAME.fullmatch(text):
            return text
        if not text.startswith("ref:"):
            break
        name = text[4:].strip()
        if not name.startswith("refs/") or ".." in name or "\0" in name:
            break
        text = _text(files, os.path.join(own, name)) or _text(files, os.path.join(common, name))
        text = text or _packed_reference(files, common, name)
    if files.exists(os.path.join(common, "reftable")):
        raise Unknown("the repository keeps its references in a reftable")
    raise Unknown("HEAD cannot be read")


def _directories(files: Files, top: str) -> tuple[str, str]:
    """The work tree's own Git directory, and the one that it shares with others (gitrepository-layout(5))."""
    own = os.path.join(top, ".git")
    if not files.is_dir(own):
        text = _text(files, own) or ""
        if not text.startswith("gitdir:"):
            raise Unknown(".git is neither a directory nor names one")
        own = os.path.normpath(os.path.join(top, text[7:].strip()))
    shared = _text(files, os.path.join(own, "commondir"))
    common = own if shared is None else os.path.normpath(os.path.join(own, shared))
    if files.exists(os.path.join(own, "reftable")) or files.exists(os.path.join(common, "reftable")):
        raise Unknown("the repository keeps its references in a reftable")
    return own, common


def _text(files: Files, path: str) -> str | None:
    if not files.is_file(path):
        return None
    try:
        return files.read(path, 4096).decode("utf-8", "surrogateescape").strip()
    except Unreadable as error:
        raise Unknown(f"{path}: {error.why}") from None


def _packed_reference(files: Files, common: str, name: str) -> str | None:
    path = os.path.join(common, "packed-refs")
    if not files.is_file(path):
        return None
    try:
        data = files.read(path, MAX_PACKED_REFS)
    except Unreadable as error:
        raise Unknown(f"{path}: {error.why}") from None
    found = re.search(rb"^([0-9a-f]{40,64}) " + re.escape(os.fsencode(name)) + rb"$", data, re.MULTILINE)
    return found[1].decode("ascii") if found else None


def _against(files: Files, top: str, commit: str, relative: str, data: bytes) -> Repository:
    """The blob that HEAD has at the path, beside the one that the bytes would be."""
    _, common = _directories(files, top)
    objects = Objects(files, common, len(commit) // 2)
    kind, content = objects.read(commit)
    if kind != "commit" or not content.startswith(b"tree "):
        raise Unknown("HEAD names no commit")
    tree = content[5:].partition(b"\n")[0].decode("ascii", "replace")
    parts = relative.split("/")
    for position, part in enumerate(parts):
        if not _NAME.fullmatch(tree):
            raise Unknown("a tree of the repository is damaged")
        kind, content = objects.read(tree)
        if kind != "tree":
            return Repository("untracked", commit)
        entry = _entry(content, os.fsencode(part), len(commit) // 2)
        if entry is None:
            return Repository("untracked", commit)
        tree = entry
        if position == len(parts) - 1:
            break
    algorithm = "sha1" if len(commit) == 40 else "sha256"
    # A checkout may turn line ends around (core.autocrlf).
    spellings = (data, data.replace(b"\r\n", b"\n"))
    same = any(_blob_name(algorithm, spelling) == tree for spelling in spellings) or _stands_for(objects, tree, data)
    return Repository("committed" if same else "modified", commit)


def _stands_for(objects: Objects, name: str, data: bytes) -> bool:
    """Whether the blob is a Git LFS pointer to these bytes. Raises `Unknown` for one that git-crypt made."""
    kind, content = objects.read(name)
    if kind != "blob":
        return False
    if content.startswith(b"\0GITCRYPT\0"):
        raise Unknown("the repository has it encrypted")
    if not content.startswith(b"version https://git-lfs.github.com/spec/"):
        return False
    return b"oid sha256:" + hashlib.sha256(data).hexdigest().encode("ascii") in content.split(b"\n")


def _entry(tree: bytes, name: bytes, width: int) -> str | None:
    """The object that a tree has under a name: entries are ``mode name NUL object``."""
    position = 0
    while position < len(tree):
        end = tree.find(b"\0", position)
        if end < 0:
            break
        _, _, found = tree[position:end].partition(b" ")
        if found == name:
            return tree[end + 1 : end + 1 + width].hex()
        position = end + 1 + width
    return None


def _blob_name(algorithm: str, data: bytes) -> str:
    made = hashlib.new(algorithm, usedforsecurity=False)
    made.update(b"blob %d\0" % len(data))
    made.update(data)
    return made.hexdigest()
