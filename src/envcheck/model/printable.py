"""Text without lone surrogates, so that it can be encoded: for files that programs read."""


def printable(text: str) -> str:
    r"""``text`` without lone surrogates: a byte that is not UTF-8 as ``\xNN``, any other surrogate as ``\uNNNN``.

    For machine-readable reports, where everything else is the format's to escape.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_surrogate(c) if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    return text


def _surrogate(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
