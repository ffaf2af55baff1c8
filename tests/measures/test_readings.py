"""Who reads a unit, against the kernels themselves."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.network.own_models import functional_model, network_of
from tests.tiny import tiny_architecture, tiny_weights
from vizengine.measures.readings import MOST, NO_WEIGHTS, Readings, Slices, Unread, places, readings
from vizengine.network.architecture import Architecture, Untraceable
from vizengine.network.model import Network


def _readings(architecture: Architecture, layer: str, unit: int, slices_of: Callable[[str], Slices | None]) -> Readings:
    return readings(architecture, SimpleNamespace(layer=layer, unit=unit), slices_of)


def test_the_readers_of_a_branch_are_found_through_the_concatenation() -> None:
    architecture, weights = tiny_architecture(), tiny_weights()
    found = _readings(architecture, "right", 2, lambda layer: Slices(weights[layer][0]))
    assert found.layers == ("last",) and found.unread == ()
    kernel = weights["last"][0]
    slices = kernel[:, :, architecture.channels("left") + 2]
    shares = np.square(slices).sum(axis=(0, 1)) / np.square(kernel).sum(axis=(0, 1, 2))
    assert found.units == 7
    for each in (*found.excited, *found.inhibited):
        np.testing.assert_array_equal(each.kernel, slices[..., each.unit])
        assert each.share == pytest.approx(shares[each.unit]) and each.norm == pytest.approx(
            np.linalg.norm(slices[..., each.unit])
        )
        norms = np.linalg.norm(kernel[..., each.unit].reshape(9, -1), axis=0)
        assert each.rank == 1 + (norms > norms[architecture.channels("left") + 2]).sum()
    assert all((each.kernel > 0).sum() > (each.kernel < 0).sum() for each in found.excited)
    for some in (found.excited, found.inhibited):
        assert [each.share for each in some] == sorted((each.share for each in some), reverse=True)
        assert len(some) <= MOST


def test_a_reader_without_weights_is_named() -> None:
    found = _readings(tiny_architecture(), "last", 0, lambda layer: None)
    assert (
        found.layers == ()
        and found.unread == (Unread("end", NO_WEIGHTS),)
        and not found.excited
        and not found.inhibited
    )


def test_the_last_layer_has_no_reader() -> None:
    assert _readings(tiny_architecture(), "end", 0, lambda layer: None).unread == ()


def test_real_units_are_read_by_the_next_squeeze(squeezenet: Network) -> None:
    found = _readings(
        squeezenet.architecture, "fire4/expand3x3", 23, lambda layer: Slices(np.asarray(squeezenet.weights[layer][0]))
    )
    assert found.layers == ("fire5/squeeze1x1",) and found.units == 32
    assert all(each.sign == "excitatory" and each.kernel.item() > 0 for each in found.excited)


def test_readers_are_found_behind_normalisations_and_sums() -> None:
    network = network_of(functional_model())
    architecture = network.architecture

    def slices_of(layer: str) -> Slices:
        return Slices(np.asarray(network.weights[layer][0]))

    names = ("stem", "tall", "wide", "separable")
    assert {name: _readings(architecture, name, 0, slices_of).layers for name in names} == {
        "stem": ("oblong", "grouped"),
        "tall": ("separable", "deep"),
        "wide": ("separable", "deep"),
        "separable": ("deep",),
    }
    assert places(architecture, "wide", 1, "separable") == [(6 + 1, "")]
    found = _readings(architecture, "separable", 5, slices_of)
    shown = (*found.excited, *found.inhibited)
    assert found.units == 2 and {each.unit for each in shown} <= {10, 11}
    assert shown and {each.through for each in shown} == {"total"} and {each.layer for each in shown} == {"deep"}


def test_a_reader_that_cannot_be_traced_is_named_with_the_layer_in_the_way() -> None:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    moved = keras.layers.Reshape((8, 8, 16), name="moved")(first)
    behind = keras.layers.Conv2D(4, 3, name="behind")(moved)
    network = network_of(keras.Model(image, behind))
    with pytest.raises(Untraceable):
        places(network.architecture, "first", 1, "behind")
    found = _readings(network.architecture, "first", 1, lambda layer: Slices(np.asarray(network.weights[layer][0])))
    assert found.layers == ()
    assert [each.layer for each in found.unread] == ["behind"] and "moved (Reshape)" in found.unread[0].reason


def test_a_sum_is_named_where_a_normalisation_and_an_activation_follow_it() -> None:
    """As in ResNets of the second kind, where the reader's site is the normalisation."""
    image = keras.Input((16, 16, 3))
    first, second = (keras.layers.Conv2D(4, 3, padding="same", name=name)(image) for name in ("first", "second"))
    total = keras.layers.Add(name="total")([first, second])
    normal = keras.layers.ReLU()(keras.layers.BatchNormalization(name="normal")(total))
    network = network_of(keras.Model(image, keras.layers.Conv2D(4, 3, name="behind")(normal)))
    assert places(network.architecture, "first", 2, "behind") == [(2, "total")]
