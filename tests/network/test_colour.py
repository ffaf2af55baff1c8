"""A network that sees grey is shown in grey, and sees the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.measures.setups import circuit_of, save_photos
from tests.network.own_models import functional_model, network_of, noise
from vizengine.measures.examples import cut_examples
from vizengine.measures.unit import Forward
from vizengine.network.live import LiveNetwork
from vizengine.network.model import seen
from vizengine.network.probes import Probe
from vizengine.pictures import objectives
from vizengine.pictures.ascent import ascend
from vizengine.pictures.spectrum import noise as noise_spectra


@pytest.fixture(scope="module")
def grey() -> LiveNetwork:
    return network_of(functional_model(channels=1, side=None))


def is_grey(images: np.ndarray) -> bool:
    return bool((images == images[..., :1]).all())


def test_images_are_shown_in_the_colours_that_the_network_sees(grey: LiveNetwork) -> None:
    image = noise(20, 24)
    in_grey = seen(image, "grey")
    assert is_grey(in_grey) and not is_grey(image)
    np.testing.assert_allclose(grey.prepare(in_grey), grey.prepare(image), rtol=1e-5)
    assert np.array_equal(seen(image, "rgb"), image) and np.array_equal(seen(image, "bgr"), image)


def test_pictures_and_examples_for_a_grey_network_are_grey(grey: LiveNetwork, tmp_path: Path) -> None:
    probe = Probe(grey, "oblong", [0, 1])
    start = noise_spectra(["a", "b"], 0, 32)
    ascent = ascend(probe, start, objectives.channel([0, 1]), 0, 3, frames=2, channel_order="grey")
    assert is_grey(ascent.images) and is_grey(ascent.frames)
    assert not is_grey(ascend(probe, start, objectives.channel([0, 1]), 0, 3).images)
    photos = save_photos(tmp_path, [(40, 48)])
    unit = Forward(grey, circuit_of(grey, "oblong", 0)).one(photos[0].pixels()).unit_map
    (example,) = cut_examples(grey.architecture, "oblong", photos, unit.at(np.array([60])))
    assert is_grey(example.crop) and example.crop.std() > 0
