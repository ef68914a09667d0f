"""How Python would be started: the flags, variables and user that the scan models.

Nothing here is read from this process: the command line passes the modelled variables as data.
"""

from collections.abc import Mapping

from envcheck.model.nouns import Literal, NamedTuple


class Invocation(NamedTuple):
    """One way of starting an interpreter.

    ``flags`` are interpreter options as typed (``-I``, ``-Wdefault::pkg.Cat``); ``environ`` the variables
    that the started interpreter would see; ``uid`` and ``gid`` pairs are (real, effective), or ``None``
    where the account is unknown (a mounted root).
    """

    flags: tuple[str, ...] = ()
    environ: Mapping[str, str] = {}
    uids: tuple[int, int] | None = None
    gids: tuple[int, int] | None = None
    directory: str | None = None
    """The directory that Python would be started in; only ever shown, never put on a path that is read."""

    def has(self, letter: str) -> bool:
        """Whether the single-letter option is among the flags (``-IS`` counts as ``-I`` and ``-S``)."""
        for flag in self.flags:
            if len(flag) > 1 and flag[0] == "-" and flag[1] not in "-XWcm" and letter in flag[1:]:
                return True
        return False

    @property
    def isolated(self) -> bool:
        """``-I``: implies ``-E``, ``-s`` and (3.11+) ``-P``."""
        return self.has("I")

    @property
    def ignores_environment(self) -> bool:
        """``-E`` or ``-I``: PYTHON* variables are not read (PYTHONUSERBASE is the exception, see the spec)."""
        return self.has("E") or self.isolated

    @property
    def no_site(self) -> bool:
        """``-S``: ``site`` is not imported: no ``.pth``, no customize module."""
        return self.has("S")

    @property
    def no_user_site_flag(self) -> bool:
        """``-s`` or ``-I``."""
        return self.has("s") or self.isolated

    @property
    def optimize(self) -> int:
        """0, 1 (``-O``), 2 (``-OO``) or more: the number in ``.opt-3.pyc``; PYTHONOPTIMIZE counts unless ignored."""
        letters = "".join(flag[1:] for flag in self.flags if flag[:1] == "-" and flag[1:2] not in ("", "-", "X", "W"))
        level = letters.count("O")
        text = self.variable("PYTHONOPTIMIZE")
        if text:
            level = max(level, int(text) if text.isdecimal() else 1)
        return level

    @property
    def development_mode(self) -> bool:
        """``-X dev``, or PYTHONDEVMODE."""
        return self.option("dev") is not None or bool(self.variable("PYTHONDEVMODE"))

    @property
    def warning_options(self) -> tuple[str, ...]:
        """``sys.warnoptions``: development mode's, PYTHONWARNINGS, ``-W``, then ``-b``'s, each once."""
        options = ["default"] if self.development_mode else []
        options += (self.variable("PYTHONWARNINGS") or "").split(",")
        options += [flag[2:].strip() for flag in self.flags if flag.startswith("-W")]
        bytes_warnings = sum(flag.count("b") for flag in self.flags if flag[:1] == "-" and flag[1:2] not in "-XW")
        if bytes_warnings:
            options.append("error::BytesWarning" if bytes_warnings > 1 else "default::BytesWarning")
        return tuple(dict.fromkeys(option for option in options if option))

    @property
    def frozen_modules_off(self) -> bool:
        """``-X frozen_modules=off``, or (3.13+) PYTHON_FROZEN_MODULES: for versions that freeze any."""
        option = self.option("frozen_modules")
        return (self.variable("PYTHON_FROZEN_MODULES") if option is None else option) == "off"

    def variable(self, name: str) -> str | None:
        """A PYTHON* variable as the interpreter sees it: ``None`` when unset or ignored by ``-E``/``-I``."""
        return None if self.ignores_environment else self.environ.get(name)

    def option(self, name: str) -> str | None:
        """The value of ``-X name[=value]``: the last one, ``""`` for a bare name, ``None`` when absent."""
        found = None
        for flag in self.flags:
            if flag.startswith("-X"):
                key, _, value = flag[2:].strip().partition("=")
                if key == name:
                    found = value
        return found

    @property
    def hash_check(self) -> Literal["default", "always", "never"]:
        """``--check-hash-based-pycs``: whether hash-based bytecode is compared with its source (PEP 552)."""
        for index, flag in enumerate(self.flags):
            if flag.startswith("--check-hash-based-pycs"):
                value = flag.partition("=")[2] or flag.partition(" ")[2] or "".join(self.flags[index + 1 : index + 2])
                if value.strip() == "always":
                    return "always"
                if value.strip() == "never":
                    return "never"
        return "default"
