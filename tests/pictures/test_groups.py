"""Pictures of groups of input channels, against the channels themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.measures.setups import circuit_of, save_photos
from vizengine.measures.factors import measure_factors
from vizengine.measures.photos import Photos
from vizengine.measures.stream import EvidenceSettings
from vizengine.network.model import Network
from vizengine.network.probes import GroupProbe
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import Job, visualize

SETTINGS = Settings(size=64, steps=24, seed=0, attempts=2, precision="float32")


def _below(network: Network, layer: str, pixels: np.ndarray) -> np.ndarray:
    """Activations that the layer reads, (positions, channels) float64."""
    model = network.model_upto(network.architecture.layer(layer).inputs[0])
    below = np.asarray(model(network.prepare(tf.constant(pixels[None], tf.float32))), np.float64)
    return below.reshape(-1, below.shape[-1])


@pytest.mark.parametrize(
    ("fixture", "layer", "unit"),
    [("tiny_network", "last", 3), ("squeezenet", "fire5/squeeze1x1", 3)],
)
def test_a_groups_picture_drives_the_group_past_photos(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    network: Network = request.getfixturevalue(fixture)
    photos = save_photos(tmp_path, [(64, 64)]) if fixture == "tiny_network" else Photos("samples", tmp_path).found[:2]
    factors = measure_factors(circuit_of(network, layer, unit), EvidenceSettings(factors=2)).factors
    weights = np.stack([factor.channels for factor in factors], axis=1)
    values = [_below(network, layer, photo.pixels()) @ weights for photo in photos]
    best = [PhotoBest(float(max(value[:, group].max() for value in values)), "photo") for group in range(len(factors))]
    pictures = visualize(network, Job(layer, dict(enumerate(best)), SETTINGS, groups=weights))
    assert sorted(pictures) == list(range(len(factors)))
    for group, picture in pictures.items():
        alone = _below(network, layer, picture.image.astype(np.float32) / 255) @ weights[:, group]
        assert picture.reached == pytest.approx(alone.max(), rel=1e-4)
        assert picture.mean == pytest.approx(alone.mean(), rel=1e-3)
        assert picture.trace[-1] > picture.trace[0]
        assert picture.photo_best == best[group].value
        assert not picture.converged or picture.reached > picture.photo_best
        if fixture != "tiny_network":
            assert picture.reached > picture.photo_best


def test_what_does_not_converge_is_tried_again_and_said(tiny_network: Network) -> None:
    weights = np.eye(9)[:, :1]
    picture = visualize(tiny_network, Job("last", {0: PhotoBest(1e9, "bright")}, SETTINGS, groups=weights))[0]
    assert not picture.converged and [attempt.seed for attempt in picture.attempts] == [0, 1]
    assert picture.reached == max(attempt.reached for attempt in picture.attempts)


def test_the_probe_adds_up_channels(tiny_network: Network) -> None:
    pixels = np.random.default_rng(0).random((48, 40, 3)).astype(np.float32)
    weights = np.random.default_rng(1).random((9, 3))
    sums = np.asarray(GroupProbe(tiny_network, "last", weights)(tf.constant(pixels[None])))
    np.testing.assert_allclose(sums.reshape(-1, 3), _below(tiny_network, "last", pixels) @ weights, rtol=1e-4)
