"""The result of a match: what is known of a file whose whole content a tool is known to write."""

from envcheck.model.nouns import Literal, NamedTuple

Form = Literal["digest", "template"]


class Known(NamedTuple):
    """A file that a known tool writes with exactly this content.

    Its paths and module names are valid in form, and no more: whether a directory is the project's, and whether what
    lies in it is proven, is for the caller to find out.
    """

    tool: str
    """Distribution or program that writes it, as it is called (``setuptools``)."""
    version: str | None
    """Versions that were seen to write these bytes, in words (``64.0.0 to 67.8.0``), where the content tells."""
    what: str
    """One clause in plain words."""
    form: Form
    loads: tuple[str, ...] = ()
    """Modules outside the standard library that the file imports, in some starts or all."""
    paths: tuple[str, ...] = ()
    """Path lines: directories that it adds to ``sys.path``."""
    site_dirs: tuple[str, ...] = ()
    """Directories that it has `site.addsitedir` process, with their own ``.pth`` files."""
    modules: tuple[str, ...] = ()
    """Names that a finder in it answers for, or namespaces that it makes."""
    comes_first: bool = False
    """What it adds to ``sys.path`` goes before the standard library, and so in place of it."""
    written_by_tool: bool = False
    """No RECORD lists such a file, so that its absence from every RECORD says nothing."""
    runs: tuple[str, ...] = ()
    """Programs that it starts when one of ``modules`` is imported."""
    project: str | None = None
    """For a file of an editable install: the project that its name speaks of, as it is spelt there."""
