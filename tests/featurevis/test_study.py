"""More pictures of a unit: the opposite, other seeds, other ways, the film."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.featurevis.model import PhotoBest, Settings
from vizengine.featurevis.study import Subject, mean_cosine, study, styles
from vizengine.featurevis.visualize import visualize
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe


def test_a_study_of_a_real_unit(squeezenet: Network) -> None:
    layer, settings = "fire4/expand3x3", Settings(64, 48, 0, 1, "auto")
    best = {channel: PhotoBest(1600.0, "photo") for channel in (23, 15, 73)}
    pictures = visualize(squeezenet, layer, [23, 15, 73], best, settings)
    subject = Subject(pictures[23], (pictures[15], pictures[73]), PhotoBest(-2000.0, "photo"))
    made = study(squeezenet, subject, settings, film=True)
    assert made.negative.direction == "negative" and made.negative.reached < 0
    assert made.stability.seeds == (0, 1, 2) and made.stability.reached[0] == pictures[23].reached
    # Pictures of one unit from different seeds are more alike than pictures of different units.
    assert made.stability.control is not None and made.stability.likeness > made.stability.control
    values = Probe(squeezenet, layer, [23]).numpy(made.diverse.astype(np.float32) / 255).max((1, 2, 3))
    assert made.diverse_reached == pytest.approx(values)
    assert mean_cosine(styles(squeezenet, layer, made.diverse)) < 1
    assert 8 < len(made.film) <= 25
    difference = np.abs(made.film[-1].astype(int) - pictures[23].image.astype(int))
    assert difference.mean() < 40 < np.abs(made.film[0].astype(int) - pictures[23].image.astype(int)).mean()


def test_mean_cosine_of_known_vectors() -> None:
    assert mean_cosine(np.array([[1.0, 0.0], [0.0, 1.0]])) == 0
    assert mean_cosine(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])) == pytest.approx(1 / 3)
