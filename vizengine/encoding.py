"""Results as JSON and arrays, and back: frozen dataclasses without pickle."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ARRAY = "array"
_NUMBER = "number"


class Undecodable(ValueError):
    """What is stored doesn't fit the type that is asked for."""


def encode(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Take `value` apart.

    Args:
        value: a dataclass, tuple, list, dict with text keys, array, text, number or None, nested at will.
            NumPy's scalars become Python's.
        arrays: receives every array, C-contiguous, under the name that stands for it in what is returned.

    Returns:
        Something that JSON can hold exactly; a number that isn't finite is written in words.

    Raises:
        TypeError: the value has a part of another kind, or an array of Python objects.
    """
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"an array of {value.dtype} can't be stored; expected numbers, booleans or text")
        name = f"{_ARRAY}{len(arrays)}"
        # ascontiguousarray would give a scalar array a dimension.
        arrays[name] = np.array(value, order="C", copy=True)
        return {_ARRAY: name}
    if isinstance(value, np.generic):
        return encode(value.item(), arrays)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {_NUMBER: repr(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [encode(element, arrays) for element in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: encode(element, arrays) for key, element in value.items()}
    raise TypeError(
        f"{type(value).__name__} can't be stored; expected dataclasses, tuples, dicts with text keys, arrays, "
        "text, numbers or None"
    )


def decode(kind: Any, stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Put together again what `encode` took apart.

    Args:
        kind: the type that is wanted: as an annotation may say it.
        stored: what `encode` returned.
        arrays: the arrays by name.

    Raises:
        Undecodable: `stored` doesn't fit `kind`.
        TypeError: `kind` isn't a type that can be stored.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)

    def demand(holds: bool) -> None:
        if not holds:
            raise Undecodable(f"expected {kind}, received {type(stored).__name__}")

    if origin is typing.Annotated:
        return decode(arguments[0], stored, arrays)
    # NumPy 2.5 made NDArray a type alias, whose meaning is its __value__.
    if np.ndarray in (kind, origin, typing.get_origin(getattr(origin, "__value__", None))):
        demand(isinstance(stored, dict) and stored.get(_ARRAY) in arrays)
        return arrays[stored[_ARRAY]]
    if kind is None or kind is type(None):
        demand(stored is None)
        return None
    if origin in (typing.Union, types.UnionType):
        # A whole number is an int before it is a float.
        for alternative in sorted(arguments, key=lambda argument: argument is float):
            with contextlib.suppress(Undecodable):
                return decode(alternative, stored, arrays)
        demand(False)
    if origin is typing.Literal:
        demand(any(stored == literal and type(stored) is type(literal) for literal in arguments))
        return stored
    if kind is float:
        if isinstance(stored, dict) and stored.keys() == {_NUMBER}:
            return float(stored[_NUMBER])
        demand(type(stored) in (int, float))
        return float(stored)
    if kind in (str, bool, int):
        demand(type(stored) is kind)
        return stored
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, stored, arrays)
    if origin in (tuple, list):
        demand(isinstance(stored, list))
        if origin is list or arguments[-1:] == (Ellipsis,):
            return origin(decode(arguments[0], element, arrays) for element in stored)
        demand(len(stored) == len(arguments))
        return tuple(decode(argument, element, arrays) for argument, element in zip(arguments, stored, strict=True))
    if origin is dict and arguments[0] is str:
        demand(isinstance(stored, dict))
        return {key: decode(arguments[1], element, arrays) for key, element in stored.items()}
    raise TypeError(
        f"{kind} can't be read back; expected dataclasses, tuple[…], list[…], dict[str, …], arrays, Literal, "
        "str, bool, int, float or None"
    )


def _decode_dataclass(kind: type, stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    fields = dataclasses.fields(kind)
    if not isinstance(stored, dict) or stored.keys() != {field.name for field in fields}:
        raise Undecodable(f"expected {kind}, received {type(stored).__name__}")
    hints = typing.get_type_hints(kind, include_extras=True)
    return kind(**{field.name: decode(hints[field.name], stored[field.name], arrays) for field in fields})
