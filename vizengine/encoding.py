"""Results as JSON and arrays, and back: frozen dataclasses without pickle."""

from __future__ import annotations

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
_SIMPLE = (str, bool, int, float)


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
    if origin is typing.Annotated:
        return decode(arguments[0], stored, arrays)
    # NumPy 2.5 made NDArray a type alias, whose meaning is its __value__.
    if np.ndarray in (kind, origin, typing.get_origin(getattr(origin, "__value__", None))):
        return _array(stored, arrays)
    if kind is None or kind is type(None):
        _demand(stored is None, kind, stored)
        return None
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, stored, arrays)
    if origin is typing.Literal:
        _demand(any(stored == literal and type(stored) is type(literal) for literal in arguments), kind, stored)
        return stored
    if kind in _SIMPLE:
        return _simple(kind, stored)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, stored, arrays)
    if origin in (tuple, list):
        return _decode_sequence(origin, arguments, stored, arrays)
    if origin is dict and arguments[0] is str:
        _demand(isinstance(stored, dict), kind, stored)
        return {key: decode(arguments[1], element, arrays) for key, element in stored.items()}
    raise TypeError(
        f"{kind} can't be read back; expected dataclasses, tuple[…], list[…], dict[str, …], arrays, Literal, "
        "str, bool, int, float or None"
    )


def _demand(holds: bool, kind: Any, stored: Any) -> None:
    if not holds:
        raise Undecodable(f"expected {kind}, received {type(stored).__name__}")


def _array(stored: Any, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    _demand(isinstance(stored, dict) and stored.get(_ARRAY) in arrays, np.ndarray, stored)
    return arrays[stored[_ARRAY]]


def _simple(kind: type, stored: Any) -> Any:
    if kind is float:
        if isinstance(stored, dict) and stored.keys() == {_NUMBER}:
            return float(stored[_NUMBER])
        _demand(type(stored) in (int, float), kind, stored)
        return float(stored)
    _demand(type(stored) is kind, kind, stored)
    return stored


def _decode_union(kinds: tuple[Any, ...], stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The first of `kinds` that fits; a whole number is an int before it is a float."""
    ordered = sorted(kinds, key=lambda kind: kind is float)
    for kind in ordered:
        try:
            return decode(kind, stored, arrays)
        except Undecodable:
            continue
    raise Undecodable(f"expected one of {kinds}, received {type(stored).__name__}")


def _decode_dataclass(kind: type, stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    fields = dataclasses.fields(kind)
    _demand(isinstance(stored, dict) and stored.keys() == {field.name for field in fields}, kind, stored)
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {field.name: decode(hints[field.name], stored[field.name], arrays) for field in fields}
    result = kind(**{field.name: values[field.name] for field in fields if field.init})
    for field in fields:
        if not field.init:
            object.__setattr__(result, field.name, values[field.name])
    return result


def _decode_sequence(origin: type, arguments: tuple[Any, ...], stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    _demand(isinstance(stored, list), origin, stored)
    if origin is list or arguments[-1:] == (Ellipsis,):
        return origin(decode(arguments[0], element, arrays) for element in stored)
    _demand(len(stored) == len(arguments), origin, stored)
    return tuple(decode(kind, element, arrays) for kind, element in zip(arguments, stored, strict=True))
