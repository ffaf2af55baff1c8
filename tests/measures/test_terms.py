"""The terms of residual sums, against the network's own maps in NumPy."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.measures.setups import circuit_of, save_photos
from tests.network.own_models import network_of
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import Comoments
from vizengine.measures.stream import EvidenceSettings, stream
from vizengine.measures.terms import Term, measure_terms, shares
from vizengine.measures.unit import Forward
from vizengine.network.live import LiveNetwork

SIZES = [(60, 76), (64, 48), (48, 80)]


@pytest.fixture(scope="module")
def residual() -> LiveNetwork:
    layers = keras.layers
    image = keras.Input((None, None, 3))
    stem = layers.Conv2D(8, 3, 2, padding="same", name="stem")(image)
    inner = layers.Conv2D(8, 3, padding="same", name="inner")(layers.ReLU(name="stem_relu")(stem))
    first = layers.Add(name="first")([stem, inner])
    branch = layers.Conv2D(8, 1, name="branch")(layers.ReLU(name="first_relu")(first))
    second = layers.Add(name="second")([first, branch, stem])
    mixed = layers.Concatenate(name="mixed")([layers.ReLU(name="second_relu")(second), inner])
    reader = layers.Conv2D(4, 3, padding="same", name="reader")(mixed)
    return network_of(keras.Model(image, layers.GlobalAveragePooling2D(name="whole")(reader)))


def measured(network: LiveNetwork, photos: tuple[Photo, ...]) -> dict[str, tuple[Term, ...]]:
    circuit = circuit_of(network, "reader", 1, top=16)
    forward = Forward(network, circuit)
    terms = measure_terms(forward, stream(forward, photos, EvidenceSettings(sample=200)))
    return {channel.label: of_sum for channel, of_sum in zip(circuit.strongest, terms, strict=True) if of_sum}


def test_shares_are_those_of_the_networks_own_maps(residual: LiveNetwork, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    terms_of = measured(residual, photos)
    assert set(terms_of) == {f"second:{channel}" for channel in range(8)}
    maps: dict[str, list[np.ndarray]] = {"first": [], "branch": [], "stem": [], "second": []}
    for photo in photos:
        for name, values_of in maps.items():
            values = np.asarray(residual.model_upto(name)(residual.prepare(photo.pixels()[None])))
            values_of.append(values.reshape(-1, 8).astype(np.float64))
    flat = {name: np.concatenate(values_of) for name, values_of in maps.items()}
    for channel in range(8):
        terms = terms_of[f"second:{channel}"]
        assert [term.label for term in terms] == [f"first:{channel}", f"branch:{channel}", f"stem:{channel}"]
        whole = flat["second"][:, channel]
        for term, name in zip(terms, ("first", "branch", "stem"), strict=True):
            covariance = np.cov(flat[name][:, channel], whole, bias=True)
            assert term.share == pytest.approx(covariance[0, 1] / covariance[1, 1], rel=1e-4, abs=1e-5)


def test_shares_of_a_sum_add_up_to_one(residual: LiveNetwork, tmp_path: Path) -> None:
    for terms in measured(residual, save_photos(tmp_path, SIZES)).values():
        assert sum(term.share for term in terms) == pytest.approx(1.0, abs=1e-9)


def test_a_term_against_the_others_has_a_negative_share_and_one_of_one_position_none() -> None:
    drive = np.random.default_rng(0).normal(size=(6, 5))
    against, still = shares(Comoments.of([3 * drive, -drive, np.ones((1, 1))]), ("a", "b", "c"))[1:]
    assert against.share == pytest.approx(-0.5) and still.share == pytest.approx(0.0, abs=1e-12)


def test_a_sum_that_does_not_vary_has_no_shares() -> None:
    terms = shares(Comoments.of([np.ones((4, 4)), np.ones((4, 4))]), ("a", "b"))
    assert all(np.isnan(term.share) for term in terms)
