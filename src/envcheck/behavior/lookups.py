"""Functions that give other functions and modules, or call them: ``getattr``, ``__import__``, ``map`` and their like.

Each takes the reader, the arguments and the call, and gives what the call gives, or ``None`` for the usual way.
"""

from __future__ import annotations

import _ast

from envcheck.behavior import decoders
from envcheck.behavior.abilities import abilities
from envcheck.behavior.calls import SPECIAL, Calls, imported
from envcheck.behavior.folding import MAX_ITEMS
from envcheck.behavior.names import computed, joined
from envcheck.behavior.things import ENVIRONMENT, FILE, Thing, known, mixed, parts_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envcheck.behavior.calls import Special
    from envcheck.model.nouns import TypeAlias

    Named: TypeAlias = "dict[str, Thing]"


def _getattr(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) < 2:
        return None
    base, name = arguments[0], arguments[1]
    text = text_of(name)
    if text is None:
        if base.name is not None and "()" not in base.name.replace("globals()", ""):
            computed(reader, node, f"getattr of a computed name of {base.name}")
        return mixed(arguments)
    thing = reader.attribute(base, text, node)
    for one in thing.alternatives():
        reader.hidden(one, name, node)
    if thing.name is not None:
        for capability in abilities(thing.name):
            reader.recorder.use(capability, node, thing.name)
    return joined([thing, *arguments[2:3]]) if len(arguments) > 2 and arguments[2].name else thing


def _setattr(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) > 2:
        reader.assigned_attribute(arguments[0], text_of(arguments[1]), arguments[2], node)
    return Thing()


def _import(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    name = arguments[0] if arguments else named.get("name", Thing())
    whole = len(arguments) > 3 or "fromlist" in named
    return imported(reader, name, whole, node)


def _import_module(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    return imported(reader, arguments[0] if arguments else named.get("name", Thing()), True, node)


def _namespace(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if arguments and arguments[0].name is not None:
        return Thing(f"{arguments[0].name}.__dict__")
    return Thing("globals()") if not arguments else mixed(arguments)


def _get(namespace: str) -> Special:
    def get(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
        return reader.looked_up(namespace, arguments[0], node) if arguments else None

    return get


def _variable(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    for capability in abilities("os.environ"):
        reader.recorder.use(capability, node, "os.environ")
    if not arguments:
        return Thing("os.environ[]")
    found = reader.variable(arguments[0], node)
    return joined([found, arguments[1]]) if len(arguments) > 1 else found


def _whole_environment(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    reader.recorder.use("environment", node, "os.environ")
    return Thing("os.environ.items()", ENVIRONMENT)


def _type(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) != 1:
        return None
    one = arguments[0]
    if one.function is not None:
        return Thing("types.FunctionType")
    if one.name == "types.CodeType()":
        return Thing("types.CodeType")
    if one.known:
        return Thing(type(one.value).__name__)
    return mixed(arguments)


def _map(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) < 2:
        return None
    columns = [parts_of(one) for one in arguments[1:]]
    if any(column is None or len(column) > MAX_ITEMS for column in columns):
        return mixed([reader.apply(arguments[0], [mixed([one]) for one in arguments[1:]], {}, node)])
    found: list[Thing] = []
    for row in zip(*(column or [] for column in columns), strict=False):
        if found and not reader.budget.may_repeat:
            return mixed(found)
        found.append(reader.apply(arguments[0], list(row), {}, node))
    return reader.sequence(found)


def _filter(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) < 2:
        return None
    parts = parts_of(arguments[1])
    if parts is None or len(parts) > MAX_ITEMS:
        return mixed([reader.apply(arguments[0], [mixed([arguments[1]])], {}, node), arguments[1]])
    kept = []
    for part in parts:
        if not reader.budget.may_repeat:
            return mixed(arguments)
        test = part if arguments[0].known else reader.apply(arguments[0], [part], {}, node)
        if not test.known:
            return mixed(arguments)
        if test.value:
            kept.append(part)
    return reader.sequence(kept)


def _reduce(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    parts = parts_of(arguments[1]) if len(arguments) > 1 else None
    if parts is None or len(parts) > MAX_ITEMS:
        return None
    pending = [*arguments[2:3], *parts]
    if not pending:
        return None
    result = pending[0]
    for part in pending[1:]:
        if not reader.budget.may_repeat:
            return mixed(pending)
        result = reader.apply(arguments[0], [result, part], {}, node)
    return result


def _partial(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if not arguments:
        return None
    function = arguments[0]
    made = Thing(function.name, function.source)
    made.function, made.scope, made.owner, made.member = (
        function.function, function.scope, function.owner, function.member,
    )  # fmt: skip
    made.bound = (*function.bound, *arguments[1:])
    return made


def _getter(name: str) -> Special:
    def make(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
        made = Thing(name)
        made.bound = tuple(arguments)
        return made

    return make


def _attrgetter(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) < 2:
        return None
    thing = arguments[-1]
    text = text_of(arguments[0])
    if text is None:
        return _getattr(reader, [thing, arguments[0]], {}, node)
    for name in text.split("."):
        thing = reader.attribute(thing, name, node)
    reader.hidden(thing, arguments[0], node)
    reader.refer(thing, _ast.Name(id="", ctx=_ast.Load(), **_place(node)))
    return thing


def _place(node: _ast.expr) -> dict[str, int]:
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno or node.lineno,
        "end_col_offset": node.end_col_offset or 0,
    }


def _methodcaller(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    if len(arguments) < 2:
        return None
    function = _getattr(reader, [arguments[-1], arguments[0]], {}, node)
    return None if function is None else reader.apply(function, arguments[1:-1], named, node)


def _itemgetter(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    return reader.item(arguments[-1], arguments[0], node) if len(arguments) > 1 else None


def _getitem(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    return reader.item(arguments[0], arguments[1], node) if len(arguments) > 1 else None


def _decoder(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    step = decoders.step_of_codec(text_of(arguments[0])) if len(arguments) > 1 else None
    if step is None:
        return mixed(arguments)
    return reader.sequence([reader.decoded(step, arguments[1], node), known(0)], frozen=True)


def _open(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    mode = arguments[1] if len(arguments) > 1 else named.get("mode")
    _opened(reader, mode, node)
    return None


def _path_open(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    _opened(reader, arguments[0] if arguments else named.get("mode"), node)
    return Thing("open()", FILE)


def _opened(reader: Calls, mode: Thing | None, node: _ast.expr) -> None:
    text = "r" if mode is None else text_of(mode)
    if text is None or set(text) & set("wax+"):
        reader.recorder.use("writes-files", node, "open" if text is None else f"open for writing ({text})")


def _next(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    parts = parts_of(arguments[0]) if arguments else None
    return parts[0] if parts else None


def _sleep(reader: Calls, arguments: list[Thing], named: Named, node: _ast.expr) -> Thing | None:
    value = arguments[0].value if arguments and arguments[0].known else None
    if isinstance(value, (int, float)) and value >= 60:
        reader.recorder.use("anti-analysis", node, f"waits {value:g} seconds")
    return Thing()


SPECIAL.update(
    {
        "getattr": _getattr,
        "object.__getattribute__": _getattr,
        "type.__getattribute__": _getattr,
        "inspect.getattr_static": _getattr,
        "setattr": _setattr,
        "__import__": _import,
        "importlib.import_module": _import_module,
        "importlib.util.find_spec().loader.load_module": _import_module,
        "pkgutil.resolve_name": lambda reader, arguments, named, node: _attribute_of_text(reader, arguments, node),
        "pydoc.locate": lambda reader, arguments, named, node: _attribute_of_text(reader, arguments, node),
        "vars": _namespace,
        "locals": lambda *_: Thing("globals()"),
        "globals": lambda *_: Thing("globals()"),
        "globals().get": _get("globals()"),
        "globals().__getitem__": _get("globals()"),
        "globals().pop": _get("globals()"),
        "sys.modules.get": _get("sys.modules"),
        "sys.modules.__getitem__": _get("sys.modules"),
        "get": _get("builtins"),  # `__builtins__.get`, which may be a dict
        "__getitem__": _get("builtins"),
        "os.environ.get": _variable,
        "os.environ.pop": _variable,
        "os.environ.setdefault": _variable,
        "os.getenv": _variable,
        "os.environ.items": _whole_environment,
        "os.environ.copy": _whole_environment,
        "os.environ.values": _whole_environment,
        "type": _type,
        "map": _map,
        "filter": _filter,
        "functools.reduce": _reduce,
        "functools.partial": _partial,
        "operator.attrgetter": _getter("<attrgetter>"),
        "<attrgetter>": _attrgetter,
        "operator.methodcaller": _getter("<methodcaller>"),
        "<methodcaller>": _methodcaller,
        "operator.itemgetter": _getter("<itemgetter>"),
        "<itemgetter>": _itemgetter,
        "operator.getitem": _getitem,
        "codecs.getdecoder": _getter("<decoder>"),
        "codecs.getencoder": _getter("<decoder>"),
        "<decoder>": _decoder,
        "open": _open,
        "pathlib.Path().open": _path_open,
        "next": _next,
        "time.sleep": _sleep,
    }
)


def _attribute_of_text(reader: Calls, arguments: list[Thing], node: _ast.expr) -> Thing | None:
    """``pkgutil.resolve_name("os:system")``."""
    text = text_of(arguments[0]) if arguments else None
    if text is None:
        computed(reader, node, "looks up a computed name")
        return Thing()
    from envcheck.behavior.abilities import canonical

    return Thing(canonical(text.replace(":", ".")))
