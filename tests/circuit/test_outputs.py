"""Who reads a unit, against the kernels themselves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tiny import tiny_architecture, tiny_weights
from vizengine.circuit.outputs import MOST, readers, readings
from vizengine.networks.network import Network


def test_the_readers_of_a_branch_are_found_through_the_concatenation() -> None:
    architecture, weights = tiny_architecture(), tiny_weights()
    found = readings(architecture, "right", 2, lambda layer: weights[layer][0])
    assert found.layers == readers(architecture, "right") == ("last",) and found.unread == ()
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
    found = readings(tiny_architecture(), "last", 0, lambda layer: None)
    assert found.layers == () and found.unread == ("end",) and not found.excited and not found.inhibited


def test_the_last_layer_has_no_reader() -> None:
    assert readings(tiny_architecture(), "end", 0, lambda layer: None).unread == ()


def test_real_units_are_read_by_the_next_squeeze(squeezenet: Network) -> None:
    found = readings(
        squeezenet.architecture, "fire4/expand3x3", 23, lambda layer: np.asarray(squeezenet.weights[layer][0])
    )
    assert found.layers == ("fire5/squeeze1x1",) and found.units == 32
    assert all(each.sign == "excitatory" and each.kernel.item() > 0 for each in found.excited)
