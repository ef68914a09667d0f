"""What the other modules are made of: named tuples and literal types, as `typing` has them, without their cost.

A startup-only scan makes some seventy such classes and reads a handful of files. Importing `typing`, and having it
compile a constructor for each class, takes longer than all of that reading.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal as Literal
    from typing import NamedTuple as NamedTuple
    from typing import NoReturn as NoReturn
    from typing import TypeAlias as TypeAlias
else:
    try:
        from _collections import _tuplegetter as _getter
    except ImportError:

        def _getter(index, doc):
            return property(lambda self: self[index])

    class _Literal:
        """``Literal["a", "b"]``: for a type checker; here the type of its values."""

        def __getitem__(self, values):
            return type(values[0] if isinstance(values, tuple) else values)

    class _Record(tuple):
        """A tuple whose places have names; ``_fields`` are those names, ``_defaults`` values by name."""

        __slots__ = ()
        _fields = ()
        _defaults = {}  # noqa: RUF012

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = _filled(cls, values, named)
            return tuple.__new__(cls, values)

        def _replace(self, **changes):
            values = [changes.pop(name, value) for name, value in zip(self._fields, self, strict=True)]
            if changes:
                raise ValueError(f"{type(self).__name__} has no field {', '.join(changes)}")
            return tuple.__new__(type(self), values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({fields})"

    def _filled(cls, values, named):
        """A value for every field: those given in order, those given by name, the defaults."""
        left = cls._fields[len(values) :]
        given = {**cls._defaults, **named}
        try:
            filled = (*values, *[given[name] for name in left])
        except KeyError as error:
            raise TypeError(f"{cls.__name__} needs {error.args[0]}") from None
        if len(filled) > len(cls._fields) or not named.keys() <= set(left):
            raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
        return filled

    class _Maker(type):
        """The class statement's annotations into the fields of a `_Record`."""

        def __new__(meta, name, bases, namespace):
            if not bases:
                return super().__new__(meta, name, bases, namespace)
            # From 3.14, annotations are a function that gives them (PEP 649); 1 asks for values.
            annotate = namespace.get("__annotate_func__") or namespace.get("__annotate__")
            fields = tuple(annotate(1) if annotate is not None else namespace.get("__annotations__", ()))
            namespace["_fields"] = namespace["__match_args__"] = fields
            namespace["_defaults"] = {field: namespace[field] for field in fields if field in namespace}
            namespace["__slots__"] = ()
            for index, field in enumerate(fields):
                namespace[field] = _getter(index, None)
            return type.__new__(type, name, (_Record,), namespace)

    class NamedTuple(metaclass=_Maker):
        """As `typing.NamedTuple`, but for what introspects it."""

    Literal = _Literal()
    TypeAlias = NoReturn = None
