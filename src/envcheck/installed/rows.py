"""The RECORDs of one site directory into columns: which distribution claims each file, and with which hash.

No object is made a row: two dictionaries by key, and a third for the few files that need more than one comparison.
"""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.formats.record import Hash, Rows, hash_fields, names_directory, parse, read_hash
from envcheck.installed.closedset import needs_known_content
from envcheck.installed.distributions import Installation
from envcheck.installed.owners import Site
from envcheck.installed.tally import Tally

_CACHED = "__pycache__/"
_CUSTOMIZE = ("sitecustomize", "usercustomize")


class Claims:
    """What the RECORDs of one site directory claim; the walk takes out what it meets."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.owner_of: dict[str, int] = {}
        """Key to the number of the first distribution that claims it."""
        self.field_of: dict[str, str] = {}
        """Key to that claim's hash field."""
        self.others: dict[str, list[tuple[int, str]]] = {}
        """Key to further claims on it."""
        self.special: set[str] = set()
        """Keys for which an equal hash is not the end of it."""
        self._claimants: dict[str, list[Installation]] = {}
        self.unproven: dict[str, Installation] = {}
        """Keys that a list without hashes (``installed-files.txt``) claims."""

    def hashes(self, key: str, number: int, field: str) -> list[tuple[Installation, Hash]]:
        """All claims on one file, the first included."""
        installations = self.site.installations
        found = [(installations[number], read_hash(field))]
        found.extend((installations[other], read_hash(text)) for other, text in self.others.get(key, ()))
        return found

    def claimants(self, key: str) -> list[Installation]:
        """Every distribution that lists a file; only of special files."""
        return self._claimants.get(key, [])

    def load(self, installation: Installation, number: int, tally: Tally) -> None:
        """Take in one distribution's claims."""
        share = tally.share(installation)
        if installation.layout != "dist-info":
            self._load_unhashed(installation, tally)
            return
        data = installation.read_record()
        if data is None:
            tally.add("record-missing", installation.path, installation, detail="nothing says which files are its own")
            return
        rows = parse(data)
        for line, why in rows.invalid:
            tally.add("record-invalid", installation.path + "/RECORD", installation, detail=why, line=line)
        share.files += self._load_rows(installation, number, rows, tally)

    def _load_rows(self, installation: Installation, number: int, rows: Rows, tally: Tally) -> int:
        owner_of, field_of, key_of = self.owner_of, self.field_of, self.site.place.key
        own_row = installation.directory_name + "/RECORD"
        count = 0
        for index, (path, field) in enumerate(zip(rows.paths, rows.hashes, strict=True)):
            if not path or (not field and path[-4:] == ".pyc" and _CACHED in path):
                continue
            count += 1
            key = key_of(path)
            if key is None:
                tally.add(
                    "record-escapes",
                    installation.path + "/RECORD",
                    installation,
                    expected=path,
                    detail="it was not opened",
                    line=rows.line(index),
                )
                continue
            if path[-1] in "/." and names_directory(path):
                continue
            if key == own_row:
                field = ""
            if key not in owner_of:
                owner_of[key] = number
                field_of[key] = field
            elif owner_of[key] != number or field_of[key] != field:
                self._load_again(key, number, field)
            if ("/" not in key or key.startswith(_CUSTOMIZE)) and needs_known_content(key):
                self.special.add(key)
                self._claimants.setdefault(key, []).append(installation)
        return count

    def _load_again(self, key: str, number: int, field: str) -> None:
        """A second row for a file."""
        self.others.setdefault(key, []).append((number, field))
        self.special.add(key)

    def _load_unhashed(self, installation: Installation, tally: Tally) -> None:
        if installation.layout == "egg-link":
            return
        detail = "it was installed by a tool that writes none"
        rows = installation.installed_files
        if rows is not None:
            where = self.site.place
            for row in rows:
                key = where.key(f"{installation.directory_name}/{row}")
                if key is not None:
                    self.unproven[key] = installation
            tally.share(installation).files += len(rows)
            detail = "installed-files.txt lists its files without hashes"
        tally.add("record-missing", installation.path, installation, detail=detail)


class Claimed:
    """Columns of files to be hashed, and what their rows say."""

    def __init__(self, special: set[str]) -> None:
        self.keys: list[str] = []
        self.numbers: list[int] = []
        self.fields: list[str] = []
        self._special = special

    def add(self, key: str, number: int, field: str) -> None:
        """One more file, its claimant's number and its hash field."""
        self.keys.append(key)
        self.numbers.append(number)
        self.fields.append(field)

    def equal(self, part: range, found: Sequence[object]) -> list[bool]:
        """Whether each digest is the one that its row gives, and that is all there is to say."""
        special = self._special
        keys, fields = self.keys[part.start : part.stop], self.fields[part.start : part.stop]
        return [
            field == made and key not in special
            for key, field, made in zip(keys, fields, hash_fields(found), strict=True)
        ]
