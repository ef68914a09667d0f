"""Bytecode into an account: the names and constants that it has, read by the bounded reader and never made into code.

What runs in which order is not followed. A code object lists the names of globals, attributes and modules in the order
in which it first uses them, so that `os` before `system` stands for `os.system`.
"""

from __future__ import annotations

from envcheck.behavior import decoders, strings
from envcheck.behavior.abilities import abilities, below, canonical
from envcheck.behavior.budget import MAX_LAYER_DEPTH, Budget, Spent, TooLarge
from envcheck.behavior.decoders import Undecodable
from envcheck.formats.bytecode import HEADER_SIZE, MAGIC_NUMBERS
from envcheck.formats.marshal import Code, FrozenSet, MarshalError, Value, read_code
from envcheck.model.behavior import Account, Capability, Flow, Indicator, Layer, Use
from envcheck.model.sha256 import sha256

MAX_CODES = 20_000
MAX_TEXTS = 5_000
_LAYOUTS = ((3, 15), (3, 13), (3, 10))
"""One version for each form that a marshalled code object has: a blob does not say which one wrote it."""
_BUILTINS = ("exec", "eval", "compile", "open", "getattr", "__import__")


def account_of_pyc(data: bytes) -> Account:
    """What a ``.pyc`` would do. Never raises."""
    version = next((minor for minor in MAGIC_NUMBERS if _is_of(data, minor)), None)
    if version is None:
        return Account("bytecode", False, "its magic number is of no known Python")
    try:
        return _account(read_code(data, version, HEADER_SIZE if version >= (3, 7) else 12), Budget())
    except MarshalError as error:
        return Account("bytecode", False, str(error))


def account_of_marshal(data: bytes) -> Account:
    """What a marshalled code object without a header would do. Never raises."""
    why = ""
    for version in _LAYOUTS:
        try:
            return _account(read_code(data, version), Budget())
        except MarshalError as error:
            why = why or str(error)
    return Account("bytecode", False, f"no marshalled code that could be read: {why}")


def _is_of(data: bytes, minor: tuple[int, int]) -> bool:
    low, high = MAGIC_NUMBERS[minor]
    return data[2:4] == b"\r\n" and low <= int.from_bytes(data[:2], "little") <= high


class _Found:
    """What one file of bytecode has."""

    def __init__(self) -> None:
        self.uses: dict[tuple[Capability, str], Use] = {}
        self.flows: dict[str, Flow] = {}
        self.indicators: dict[tuple[str, str], Indicator] = {}
        self.layers: dict[str, Layer] = {}

    def use(self, capability: Capability, line: int, expression: str, means: str) -> None:
        """A name with a capability, in the function that begins on a line."""
        self.uses.setdefault((capability, means), Use(capability, line, expression, means))


def _account(code: Code, budget: Budget) -> Account:
    found = _Found()
    pending: list[Code] = [code]
    texts: list[tuple[str | bytes, int]] = []
    count = 0
    short = None
    while pending:
        one = pending.pop()
        count += 1
        if count > MAX_CODES:
            short = f"more than {MAX_CODES:,} functions"
            break
        _names(one, found)
        for value in _flat(one.consts):
            if isinstance(value, Code):
                pending.append(value)
            elif isinstance(value, (str, bytes)) and len(texts) < MAX_TEXTS:
                texts.append((value, one.firstlineno))
    for text, line in texts:
        _text(text, line, found, budget)
    capabilities = {use.capability for use in found.uses.values()}
    if {"decode", "dynamic-code"} <= capabilities and found.layers:
        first = next(iter(found.layers.values()))
        means = f"has code in it that {' and '.join(first.how)} gives, a decoder and exec"
        found.flows["executes-decoded"] = Flow("executes-decoded", first.line, code.name, means)
    return Account(
        "bytecode",
        short is None,
        short,
        tuple(found.uses.values()),
        tuple(found.flows.values()),
        tuple(found.layers.values()),
        tuple(found.indicators.values()),
    )


def _names(code: Code, found: _Found) -> None:
    """Each pair and single of the names in order, and what is taken from a module by ``from``."""
    line = code.firstlineno
    names = code.names
    for index, name in enumerate(names):
        _named(name, line, found)
        prefix = canonical(name)
        # `os.path.join`: attributes follow what they are attributes of; others may have been named before.
        for follower in names[index + 1 : index + 4]:
            _named(f"{prefix}.{follower}", line, found)
            prefix = f"{prefix}.{follower}"
        if below(canonical(name)):
            for other in names:
                if other in below(canonical(name)):
                    _named(f"{name}.{other}", line, found)
    # A function uses modules that the module imported.
    for name in code.names:
        if name in _METHODS:
            found.use(_METHODS[name], line, name, f"calls something's {name}")


_METHODS: dict[str, Capability] = {
    "b64decode": "decode",
    "b85decode": "decode",
    "a85decode": "decode",
    "b32decode": "decode",
    "decompress": "decode",
    "unhexlify": "decode",
    "fromhex": "decode",
    "urlopen": "network",
    "urlretrieve": "network",
    "Popen": "process",
    "check_output": "process",
    "check_call": "process",
    "system": "process",
    "popen": "process",
    "execve": "process",
    "CDLL": "native-code",
    "meta_path": "import-machinery",
    "addsitedir": "import-machinery",
    "settrace": "monkeypatch",
    "__subclasses__": "dynamic-code",
    "__globals__": "dynamic-code",
}
"""Names that mean the same wherever they are called."""


def _named(dotted: str, line: int, found: _Found) -> None:
    full = canonical(dotted)
    for capability in abilities(full):
        # A module alone, which `import` names too, does nothing.
        if "." in full or full in _BUILTINS or full == "ctypes":
            found.use(capability, line, dotted, full)


def _flat(values: tuple[Value, ...]) -> list[Value]:
    flat: list[Value] = []
    pending: list[Value] = list(values)
    while pending and len(flat) < 10 * MAX_TEXTS:
        value = pending.pop()
        if isinstance(value, FrozenSet):
            pending.extend(value.members)
        elif type(value) is tuple:
            pending.extend(value)
        else:
            flat.append(value)
    return flat


def _text(value: str | bytes, line: int, found: _Found, budget: Budget) -> None:
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    for capability, means in strings.hints(text):
        found.use(capability, line, text[:200], means)
    for indicator in strings.indicators(text, line):
        found.indicators.setdefault((indicator.kind, indicator.value), indicator)
    if len(value) >= 64:
        _inside(value, line, found, budget)


def _inside(value: str | bytes, line: int, found: _Found, budget: Budget) -> None:
    """Code in a long string."""
    from envcheck.behavior.source import account_of_text

    data: str | bytes = value
    how: tuple[str, ...] = ()
    try:
        while len(how) < MAX_LAYER_DEPTH:
            step = decoders.looks_like(data)
            if step is None:
                break
            data = decoders.decode(step, data, budget)
            how = (*how, step)
    except (Undecodable, TooLarge, Spent):
        pass
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError:
        return
    if "import" not in text and "exec" not in text:
        return
    account = account_of_text(text)
    if account.understood and account.capabilities:
        raw = text.encode("utf-8", "surrogatepass")
        digest = sha256(raw).hexdigest()
        found.layers.setdefault(digest, Layer((*how, "text"), line, digest, len(raw), text, account))
