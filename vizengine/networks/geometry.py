"""Sides of maps and receptive fields of all layers, in one pass from the image on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vizengine.networks.layer import GLOBAL_KINDS, POOL_KINDS, LayerSpec, ReceptiveField


class Vanished(ValueError):
    """An image size that leaves nothing of a layer's map."""


class Misfit(ValueError):
    """An image size at which the network's branches don't fit together."""


class Unmeasurable(ValueError):
    """A layer whose map has sides that aren't known, or one behind it."""


@dataclass(frozen=True)
class Extent:
    """A layer along one axis.

    Attributes:
        side: of its map, in positions; 1 for a layer that has one value per image and channel.
        field: what one position sees.
    """

    side: int
    field: ReceptiveField


def extents(layers: Iterable[LayerSpec], size: int, axis: int) -> dict[str, Extent]:
    """Every layer's extent, after Araujo et al., Computing Receptive Fields, Distill 2019.

    Where branches meet, the field is the smallest that holds both. Gates, which see the whole image, are left out.

    Args:
        layers: in order of computation, from the input on.
        size: of the image along the axis, in pixels, on which the split of `same` padding depends.
        axis: 0 (rows) or 1 (columns).

    Raises:
        Misfit: branches of different sides meet.
        Unmeasurable: a layer gives a map of unknown sides.
        Vanished: nothing is left of a map.
    """
    found: dict[str, Extent] = {}
    for layer in layers:
        found[layer.name] = _extent(layer, [found[name] for name in layer.maps], size, axis)
    return found


def fitting(layers: Iterable[LayerSpec], size: int) -> int:
    """The largest image side up to `size` at which all branches fit together.

    Args:
        layers: in order of computation, from the input on; none of them of unknown sides.
        size: side in pixels.

    Raises:
        Misfit: there is none.
    """
    layers = tuple(layers)
    last: Misfit | None = None
    for side in range(size, 0, -1):
        try:
            for axis in (0, 1):
                extents(layers, side, axis)
        except Vanished:
            break
        except Misfit as misfit:
            last = last or misfit
            continue
        return side
    if last is None:
        # Too small for the network's end, yet perhaps not for the layers that are asked for.
        return size
    raise last


def _extent(layer: LayerSpec, feeds: list[Extent], size: int, axis: int) -> Extent:
    if not feeds:
        return Extent(size, ReceptiveField(1, 1, 0.0))
    if layer.sides == "unknown":
        raise Unmeasurable(f"the sides of the map that {layer.name} gives aren't known")
    if layer.sides == "kept" and len({feed.side for feed in feeds}) > 1:
        sides = " and ".join(str(feed.side) for feed in feeds)
        raise Misfit(f"an image side of {size} px gives {layer.name} branches of {sides} positions")
    side, field = feeds[0].side, _union([feed.field for feed in feeds])
    before, after = layer.margins[axis]
    if layer.is_conv or layer.kind in POOL_KINDS:
        reach, padding = layer.reach(axis), layer.padding_before(axis, side)
        rest = -(-side // layer.stride) if layer.padding == "same" else (side - reach) // layer.stride + 1
        start = field.start - padding * field.stride
        field = ReceptiveField(field.size + (reach - 1) * field.stride, field.stride * layer.stride, start)
    elif layer.kind == "zero_padding":
        rest = side + before + after
        field = ReceptiveField(field.size, field.stride, field.start - before * field.stride)
    elif layer.kind == "cropping":
        rest = side - before - after
        field = ReceptiveField(field.size, field.stride, field.start + before * field.stride)
    elif layer.kind in GLOBAL_KINDS or layer.kind in ("flatten", "dense") or layer.sides == "one":
        rest, field = 1, ReceptiveField(size, 1, 0.0)
    else:
        rest = side
    if rest < 1:
        raise Vanished(f"an image side of {size} px leaves nothing of {layer.name}")
    return Extent(rest, field)


def _union(fields: list[ReceptiveField]) -> ReceptiveField:
    """The smallest field that holds all; their strides agree where their sides do."""
    start = min(field.start for field in fields)
    end = max(field.start + field.size for field in fields)
    return ReceptiveField(round(end - start), max(field.stride for field in fields), start)
