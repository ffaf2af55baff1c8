"""More pictures of a unit: the opposite, other seeds, other ways, the film."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.network.model import Network
from vizengine.network.probes import Probe
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import Job, visualize
from vizengine.pictures.study import Subject, film, mean_cosine, stability, styles, variants


def test_a_study_of_a_real_unit(squeezenet: Network) -> None:
    layer, settings = "fire4/expand3x3", Settings(64, 48, 0, 1, "auto")
    best = {channel: PhotoBest(1600.0, "photo") for channel in (23, 15, 73)}
    pictures = visualize(squeezenet, Job(layer, best, settings))
    subject = Subject(pictures[23], settings, others=(pictures[15], pictures[73]))
    seeds = stability(squeezenet, subject)
    assert seeds.seeds == (0, 1, 2) and seeds.reached[0] == pictures[23].reached
    # Pictures of one unit from different seeds are more alike than pictures of different units.
    assert seeds.control is not None and seeds.likeness > seeds.control
    diverse = variants(squeezenet, subject)
    values = Probe(squeezenet, layer, [23]).numpy(diverse.images.astype(np.float32) / 255).max((1, 2, 3))
    assert diverse.reached == pytest.approx(values)
    assert mean_cosine(styles(squeezenet, layer, diverse.images)) < 1
    frames = film(squeezenet, subject).frames
    assert 8 < len(frames) <= 25
    difference = np.abs(frames[-1].astype(int) - pictures[23].image.astype(int))
    assert difference.mean() < 40 < np.abs(frames[0].astype(int) - pictures[23].image.astype(int)).mean()


def test_a_study_of_pictures_that_begin_as_a_photo(squeezenet: Network) -> None:
    layer, settings = "fire4/expand3x3", Settings(64, 1, 0, 1, "float32", start="photo")
    square = np.random.default_rng(0).uniform(0.4, 0.6, (64, 64, 3)).astype(np.float32)
    square[20:40, 20:40] = 0.9
    job = Job(layer, {23: PhotoBest(1600.0, "square")}, settings, squares={"square": square})
    subject = Subject(visualize(squeezenet, job)[23], settings, job.squares)
    images = [stability(squeezenet, subject).images, variants(squeezenet, subject).images]
    images.append(film(squeezenet, subject).frames)
    for image in np.concatenate(images):
        # Among 200 pictures of noise its standard deviation is 0.11.
        assert np.corrcoef(image[..., 0].ravel(), square[..., 0].ravel())[0, 1] > 0.3
    # From the very same spectrum, nothing could push them apart.
    assert all((image != images[1][0]).any() for image in images[1][1:])


def test_mean_cosine_of_known_vectors() -> None:
    assert mean_cosine(np.array([[1.0, 0.0], [0.0, 1.0]])) == 0
    assert mean_cosine(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])) == pytest.approx(1 / 3)
