"""A site directory into its distributions: what their metadata says, read as it is asked for."""

from __future__ import annotations

from functools import cached_property

from envcheck.files.root import Files, Missing, Unreadable
from envcheck.formats.record import Lookup
from envcheck.installed.metadata import (
    Headers,
    Layout,
    from_directory_name,
    is_built_from,
    is_platform_built,
    parse_direct_url,
    parse_headers,
    parse_tags,
)
from envcheck.installed.places import Place
from envcheck.model.inventory import SEEDS, Direct, Distribution, normalize_name
from envcheck.model.ownership import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.formats.entrypoints import EntryPoint

_HEADERS = 256 << 10
_LAYOUTS: dict[str, Layout] = {
    ".dist-info": "dist-info",
    ".egg-info": "egg-info",
    ".egg": "egg",
    ".egg-link": "egg-link",
}


class Installation:
    """One metadata directory or file of a site directory; its files are read once, when first needed."""

    def __init__(self, files: Files, place: Place, name: str, layout: Layout) -> None:
        self._files = files
        self.place = place
        self.directory_name = name
        self.layout = layout
        self.path = place.prefix + name
        self.metadata_dir = self.path + "/EGG-INFO" if layout == "egg" else self.path

    @property
    def metadata_paths(self) -> tuple[str, ...]:
        """Where METADATA, PKG-INFO or the metadata file itself would be."""
        return self.path, f"{self.metadata_dir}/METADATA", f"{self.metadata_dir}/PKG-INFO"

    @cached_property
    def names(self) -> frozenset[str]:
        """What lies in the metadata directory."""
        if self.layout in ("egg-info-file", "egg-link"):
            return frozenset()
        return frozenset(self._files.names(self.metadata_dir))

    @cached_property
    def headers(self) -> Headers | None:
        """Of METADATA or PKG-INFO; ``None`` where there is none."""
        if self.layout == "egg-info-file":
            path = self.path
        elif self.layout == "egg-link":
            path = self._linked_metadata()
        else:
            path = self.metadata_dir + ("/METADATA" if self.layout == "dist-info" else "/PKG-INFO")
        try:
            # The fields stand before the long description, which may be of any length.
            return parse_headers(self._files.read_part(path, _HEADERS)[0])
        except Missing:
            return None
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return None

    @cached_property
    def project(self) -> str | None:
        """The directory that an ``.egg-link`` or an editable's ``direct_url.json`` names, if it is a local one."""
        if self.layout == "egg-link":
            lines = (self._read_at(self.path) or b"").split(b"\n")
            text = lines[0].strip().decode("utf-8", "surrogateescape")
            return text.rstrip("/") if text.startswith("/") and "\0" not in text else None
        if self.direct is None or not self.direct.url.startswith("file://"):
            return None
        from urllib.parse import unquote

        path = unquote(self.direct.url[7:], errors="surrogateescape")
        return path.rstrip("/") if path.startswith("/") and "\0" not in path else None

    def read_record(self) -> bytes | None:
        """RECORD's bytes; ``None`` where there is none or it cannot be read (then noted)."""
        if self.layout != "dist-info":
            return None
        return self._read_at(self.path + "/RECORD", self._files.limits.record)

    @cached_property
    def lookup(self) -> Lookup:
        """For a few rows of RECORD."""
        return Lookup(self.read_record() or b"")

    @cached_property
    def installed_files(self) -> tuple[str, ...] | None:
        """The paths, without hashes, that an ``.egg-info`` of older tools lists; ``None`` where it lists none.

        They are relative to the metadata directory.
        """
        if self.layout != "egg-info" or "installed-files.txt" not in self.names:
            return None
        data = self._read("installed-files.txt") or b""
        text = data.decode("utf-8", "surrogateescape")
        return tuple(line.strip() for line in text.split("\n") if line.strip() and "\0" not in line)

    @cached_property
    def direct(self) -> Direct | None:
        """PEP 610."""
        data = self._read("direct_url.json") if self.layout == "dist-info" else None
        return None if data is None else parse_direct_url(data)

    @property
    def editable(self) -> bool:
        """Installed so that the project's own directory is imported."""
        return self.layout == "egg-link" or bool(self.direct and self.direct.editable)

    @cached_property
    def locally_built(self) -> bool:
        """Built on this machine, as far as files tell: what its RECORD says was made here as well."""
        if self.layout != "dist-info":
            return True
        if self.direct is not None and is_built_from(self.direct):
            return True
        # uv leaves uv_build.json with everything that it built from source.
        if "uv_build.json" in self.names:
            return True
        return is_platform_built(self._wheel)

    @cached_property
    def _wheel(self) -> bytes:
        return self._read("WHEEL") or b""

    @property
    def self_made(self) -> bool:
        """Whether RECORD was made on this machine, so that it vouches for a closed set only."""
        return self.editable or self.locally_built

    @property
    def is_seed(self) -> bool:
        """Named like one that a maker of environments puts there."""
        return self.key in SEEDS

    @property
    def closed(self) -> bool:
        """Whether its RECORD vouches for startup files only where a known tool writes such a file.

        A seed's too: no lock asks whether it should be here, and what real ones ship is known.
        """
        return self.self_made or self.is_seed

    @cached_property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        """Of ``entry_points.txt``."""
        from envcheck.formats.entrypoints import parse_entry_points

        data = self._read("entry_points.txt")
        return () if data is None else parse_entry_points(data)

    @property
    def name(self) -> str:
        """As METADATA spells it, else as the directory's name does."""
        headers = self.headers
        return (headers.name if headers else None) or from_directory_name(self.directory_name)[0]

    @property
    def version(self) -> str:
        """As METADATA spells it, else as the directory's name does; empty where neither tells."""
        headers = self.headers
        return (headers.version if headers else None) or from_directory_name(self.directory_name)[1]

    @cached_property
    def owner(self) -> Owner:
        """This distribution as the owner of a file."""
        return Owner("distribution", self.name, self.version or None)

    @cached_property
    def key(self) -> str:
        """The normalised name."""
        return normalize_name(self.name)

    def distribution(self) -> Distribution:
        """What the metadata says; nothing about files yet."""
        installer = self._read("INSTALLER")
        headers = self.headers
        return Distribution(
            name=self.name,
            version=self.version,
            path=self.path,
            site_dir=self.place.site_dir,
            installer=None if installer is None else installer.decode("utf-8", "backslashreplace").strip() or None,
            direct=self.direct,
            editable=self.editable,
            locally_built=self.locally_built,
            requested="REQUESTED" in self.names,
            has_metadata=headers is not None,
            has_record="RECORD" in self.names if self.layout == "dist-info" else False,
            requires_dist=headers.requires_dist if headers else (),
            tags=parse_tags(self._wheel) if self.layout == "dist-info" else (),
            project=self.project,
        )

    def _linked_metadata(self) -> str:
        project = self.project
        stem = self.directory_name.removesuffix(".egg-link")
        return f"{project}/{stem.replace('-', '_')}.egg-info/PKG-INFO" if project else ""

    def _read(self, name: str) -> bytes | None:
        return self._read_at(f"{self.metadata_dir}/{name}") if name in self.names else None

    def _read_at(self, path: str, limit: int | None = None) -> bytes | None:
        try:
            return self._files.read(path, limit)
        except Missing:
            return None
        except Unreadable as error:
            self._files.miss(error.path, error.why)
            return None


def installations(files: Files, place: Place) -> list[Installation]:
    """Every metadata directory or file that lies in a site directory, in name order; nothing of them is read yet."""
    try:
        entries = files.listdir(place.site_dir)
    except Missing:
        return []
    except Unreadable as error:
        files.miss(error.path, error.why)
        return []
    found = []
    for entry in entries:
        dot = entry.name.rfind(".")
        layout = _LAYOUTS.get(entry.name[dot:]) if dot > 0 else None
        if layout is None:
            continue
        directory = entry.kind == "dir" or (entry.kind == "link" and files.is_dir(place.prefix + entry.name))
        if layout == "egg-info" and not directory:
            found.append(Installation(files, place, entry.name, "egg-info-file"))
        elif (layout == "egg-link") != directory:
            found.append(Installation(files, place, entry.name, layout))
    return found
