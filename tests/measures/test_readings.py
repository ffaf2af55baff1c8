"""Who reads a unit, against the kernels themselves."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.network.own_models import functional_model, network_of
from vizengine.measures.expanded import Untold
from vizengine.measures.readings import MOST, NO_WEIGHTS, Readings, Slices, places, readings
from vizengine.network.architecture import Untraceable
from vizengine.network.model import Network


def _readings(network: Network, layer: str, unit: int) -> Readings:
    circuit = SimpleNamespace(layer=layer, unit=unit)
    return readings(network.architecture, circuit, lambda name: Slices(np.asarray(network.weights[name][0])))


def test_the_readers_of_a_branch_are_found_through_the_concatenation(tiny_network: Network) -> None:
    found = _readings(tiny_network, "right", 2)
    assert found.layers == ("last",) and found.unread == () and found.units == 7
    kernel = tiny_network.weights["last"][0]
    index = tiny_network.architecture.channels("left") + 2
    norms = np.linalg.norm(kernel.reshape(9, -1, 7), axis=0)
    for reading in (*found.excited, *found.inhibited):
        np.testing.assert_array_equal(reading.kernel, kernel[:, :, index, reading.unit])
        norm = norms[index, reading.unit]
        assert reading.norm == pytest.approx(norm)
        assert reading.share == pytest.approx(norm**2 / np.square(norms[:, reading.unit]).sum(), rel=1e-5)
        assert reading.rank == 1 + (norms[:, reading.unit] > norm).sum()
    assert all((reading.kernel > 0).sum() > (reading.kernel < 0).sum() for reading in found.excited)
    for strongest in (found.excited, found.inhibited):
        shares = [reading.share for reading in strongest]
        assert shares == sorted(shares, reverse=True) and len(shares) <= MOST


def test_a_reader_without_weights_is_named_and_the_last_layer_has_none(tiny_network: Network) -> None:
    def unread(layer: str) -> Readings:
        return readings(tiny_network.architecture, SimpleNamespace(layer=layer, unit=0), lambda name: None)

    assert unread("last") == Readings((), (Untold("end", NO_WEIGHTS),), 0, (), ())
    assert unread("end") == Readings((), (), 0, (), ())


def test_real_units_are_read_by_the_next_squeeze(squeezenet: Network) -> None:
    found = _readings(squeezenet, "fire4/expand3x3", 23)
    assert found.layers == ("fire5/squeeze1x1",) and found.units == 32
    assert all(reading.sign == "excitatory" and reading.kernel.item() > 0 for reading in found.excited)


def test_readers_are_found_behind_normalisations_sums_and_groups() -> None:
    network = network_of(functional_model())
    assert {name: _readings(network, name, 0).layers for name in ("stem", "tall", "wide", "separable")} == {
        "stem": ("oblong", "grouped"),
        "tall": ("separable", "deep"),
        "wide": ("separable", "deep"),
        "separable": ("deep",),
    }
    assert places(network.architecture, "wide", 1, "separable") == [(6 + 1, "")]
    found = _readings(network, "separable", 5)
    strongest = (*found.excited, *found.inhibited)
    assert strongest and found.units == 2 and {reading.unit for reading in strongest} <= {10, 11}
    assert {(reading.layer, reading.through) for reading in strongest} == {("deep", "total")}


def test_a_reader_that_cannot_be_traced_is_named_with_the_layer_in_the_way() -> None:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    moved = keras.layers.Reshape((8, 8, 16), name="moved")(first)
    network = network_of(keras.Model(image, keras.layers.Conv2D(4, 3, name="behind")(moved)))
    with pytest.raises(Untraceable):
        places(network.architecture, "first", 1, "behind")
    found = _readings(network, "first", 1)
    assert found.layers == ()
    assert [unread.layer for unread in found.unread] == ["behind"] and "moved (Reshape)" in found.unread[0].reason


def test_a_sum_is_named_where_a_normalisation_and_an_activation_follow_it() -> None:
    """As in ResNets of the second kind, where the reader's site is the normalisation."""
    image = keras.Input((16, 16, 3))
    first, second = (keras.layers.Conv2D(4, 3, padding="same", name=name)(image) for name in ("first", "second"))
    total = keras.layers.Add(name="total")([first, second])
    normal = keras.layers.ReLU()(keras.layers.BatchNormalization(name="normal")(total))
    network = network_of(keras.Model(image, keras.layers.Conv2D(4, 3, name="behind")(normal)))
    assert places(network.architecture, "first", 2, "behind") == [(2, "total")]
