"""The way in: the bytes of a startup file, or the text of a startup line, into the account of what it would do."""

from __future__ import annotations

from envcheck.behavior.source import account_of_text
from envcheck.behavior.writing import tricks_of
from envcheck.formats import source
from envcheck.formats.bytecode import MAGIC_NUMBERS
from envcheck.model.behavior import Account

MAX_FILE = 32 << 20
MAX_LINES = 500
_NATIVE = (
    b"\x7fELF",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xca\xfe\xba\xbe",
)
_MAGICS = {number for low, high in MAGIC_NUMBERS.values() for number in range(low, high + 1)}


def account_of_line(text: str, line: int = 1) -> Account:
    """What one line of a ``.pth`` would do; ``line`` is its number in the file."""
    # Up to 3.14 the line is executed as it stands; blanks before it would be an error of indentation.
    account = account_of_text(text.lstrip(" \t"), line)
    return account._replace(tricks=tricks_of(text))


def account_of_lines(text: str) -> Account:
    """What the import lines of a whole ``.pth`` would do, whichever Python splits it."""
    found = [
        account_of_line(line.strip(), number)
        for number, line in enumerate(text.split("\n")[:MAX_LINES], 1)
        if line.strip().startswith(("import ", "import\t"))
    ]
    whys = [one.why for one in found if one.why is not None]
    return Account(
        "source",
        not whys,
        whys[0] if whys else None,
        tuple(use for one in found for use in one.uses),
        tuple(flow for one in found for flow in one.flows),
        tuple(layer for one in found for layer in one.layers),
        tuple(indicator for one in found for indicator in one.indicators),
        tuple(dict.fromkeys(trick for one in found for trick in one.tricks)),
    )


def account_of_file(name: str, data: bytes) -> Account:
    """What importing a file would do: source, bytecode or a native library, by its name and its first bytes."""
    if len(data) > MAX_FILE:
        return Account("unknown", False, f"it is larger than {MAX_FILE:,} bytes")
    if name.endswith(".pyc") or (data[2:4] == b"\r\n" and int.from_bytes(data[:2], "little") in _MAGICS):
        from envcheck.behavior.bytecode import account_of_pyc

        return account_of_pyc(data)
    if data.startswith(_NATIVE):
        from envcheck.behavior.native import account_of_native

        return account_of_native(data)
    return account_of_source(data)


def account_of_source(data: bytes) -> Account:
    """What a module with this source would do."""
    try:
        text = source.decode(data)
    except (ValueError, LookupError) as error:
        text = data.decode("utf-8", "replace")
        account = account_of_text(text)
        why = f"it cannot be decoded as {source.cookie(data)} ({type(error).__name__})"
        return account._replace(understood=False, why=why, tricks=tricks_of(text))
    tricks = tricks_of(text)
    if source.cookie(data) not in _USUAL and text != data.decode("utf-8", "replace").removeprefix("\ufeff"):
        tricks = (*tricks, f"encoding {source.cookie(data)}")
    return account_of_text(text)._replace(tricks=tricks)


_USUAL = frozenset({"utf-8", "ascii", "us-ascii", "iso-8859-1", "iso-8859-15", "cp1252", "latin1"})
