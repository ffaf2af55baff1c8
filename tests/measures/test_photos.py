"""Photos: which are found, how they are read, which are skipped; what the real network says of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vizengine.measures.classification import measure_classification
from vizengine.measures.extremes import Bounds, PhotoExtremes, photo_extremes
from vizengine.measures.photos import Photo, Photos, find_unreadable
from vizengine.network.catalogue import class_labels
from vizengine.network.model import Network
from vizengine.network.probes import Probe

DOMESTIC_CATS = {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat"}


def _save(path: Path, width: int, height: int, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def test_samples_are_there_with_credits() -> None:
    found = Photos("samples", Path()).found
    assert len(found) == 30 and all(photo.credit and photo.path.is_file() for photo in found)
    # So many that claims can be judged, invariances too, and that there is something to look at.
    assert 16 <= sum(photo.held_out for photo in found) <= 24
    assert not find_unreadable(found)


def test_folder_and_glob_are_relative_to_the_config(tmp_path: Path) -> None:
    _save(tmp_path / "photos" / "b.png", 40, 40)
    _save(tmp_path / "photos" / "deep" / "a.JPG", 40, 40)
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    assert [photo.name for photo in Photos("photos", tmp_path).found] == ["b"]
    assert [photo.name for photo in Photos("photos/**/*", tmp_path).found] == ["b", "a"]


def test_what_is_held_out_depends_on_content_alone(tmp_path: Path) -> None:
    contents = [np.random.default_rng(number).bytes(50) for number in range(300)]
    held_out = []
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.png").write_bytes(content)
        (tmp_path / f"other-{number}.jpg").write_bytes(content)
        held_out.append(Photo(tmp_path / f"{number}.png").held_out)
        assert Photo(tmp_path / f"other-{number}.jpg").held_out is held_out[-1]
    # Four standard deviations of a binomial draw to each side.
    assert 167 < sum(held_out) < 233
    # The answer may never change, nor differ between machines.
    assert held_out[:8] == [True, True, True, True, True, False, True, True]


def test_large_photos_are_read_smaller_and_small_ones_as_they_are(tmp_path: Path) -> None:
    _save(tmp_path / "large.jpg", 2000, 1000)
    _save(tmp_path / "small.png", 60, 50)
    assert Photo(tmp_path / "large.jpg").pixels().shape == (192, 384, 3)
    small = Photo(tmp_path / "small.png").pixels()
    assert small.shape == (50, 60, 3) and small.dtype == np.float32 and 0 <= small.min() <= small.max() <= 1


def test_what_is_transparent_is_mid_grey(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:20] = (255, 0, 0, 255)
    pixels[20:] = (255, 0, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "half.png")
    read = Photo(tmp_path / "half.png").pixels()
    np.testing.assert_allclose(read[:20], np.broadcast_to([1.0, 0.0, 0.0], (20, 40, 3)))
    np.testing.assert_allclose(read[20:], 128 / 255)


def test_unreadable_photos_are_named(tmp_path: Path) -> None:
    _save(tmp_path / "good.png", 40, 40)
    _save(tmp_path / "tiny.png", 8, 8)
    (tmp_path / "text.png").write_text("no image")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").touch()
    skipped = find_unreadable(Photos(".", tmp_path).found)
    assert [each.name for each in skipped] == ["cut.png", "empty.jpg", "text.png", "tiny.png"]
    assert "8 px is under 32 px" in skipped[-1].reason


def test_squeezenet_knows_the_samples(squeezenet: Network) -> None:
    subjects = ("chelsea", "coffee", "motorcycle_left")
    samples = [photo for photo in Photos("samples", Path()).found if photo.name in subjects]
    found = measure_classification(squeezenet, samples, class_labels(), "")
    photos = {photo.name: photo for photo in found.photos}
    assert {guess.label for guess in photos["chelsea"].guesses[:3]} <= DOMESTIC_CATS
    assert photos["coffee"].guesses[0].label == "espresso"
    assert photos["coffee"].guesses[0].probability == pytest.approx(0.98, abs=0.01)
    assert photos["motorcycle_left"].guesses[0].label == "motor scooter"
    for photo in photos.values():
        probabilities = [guess.probability for guess in photo.guesses]
        assert len(probabilities) == 5 and probabilities == sorted(probabilities, reverse=True)


def test_photo_best_is_the_highest_over_photos_and_positions(tiny_network: Network, tmp_path: Path) -> None:
    for index, (width, height) in enumerate([(40, 52), (64, 33), (90, 90)]):
        _save(tmp_path / f"{index}.png", width, height, index)
    photos = Photos(".", tmp_path).found
    maxima = photo_extremes(tiny_network, ["last"], photos)["last"]
    probe = Probe(tiny_network, "last")
    expected = [probe.numpy(photo.pixels()[None])[0].reshape(-1, 7).max(0) for photo in photos]
    for channel in range(7):
        value, name = maxima.best(channel)
        assert value == max(row[channel] for row in expected) and expected[int(name)][channel] == value


def test_of_many_photos_every_nth_is_shown_with_what_the_network_calls_it(tmp_path: Path) -> None:
    for index in range(70):
        _save(tmp_path / f"{index:02}.png", 32, 32, index)
    network: Any = SimpleNamespace(
        architecture=SimpleNamespace(input_size=32, channel_order="rgb"), classify=lambda batch: np.full((1, 10), 0.1)
    )
    for count, step in ((10, 1), (11, 2), (70, 7)):
        photos = Photos(".", tmp_path).found[:count]
        classified = measure_classification(network, photos, list("abcdefghij"), "").photos
        assert [photo.name for photo in classified] == [f"{index:02}" for index in range(0, count, step)]


def test_what_is_no_number_is_not_hidden_by_other_photos() -> None:
    by_photo = np.array([[1, 5, np.nan, 2], [3, np.nan, 4, 2], [2, 9, 8, 2]], np.float32)
    extremes = [PhotoExtremes.of_photo(name, Bounds(row, -row)) for name, row in zip("abc", by_photo, strict=True)]
    whole = extremes[0] + (extremes[1] + extremes[2])
    assert [whole.best(channel)[1] for channel in range(4)] == ["b", "b", "a", "a"]
    assert [whole.worst(channel)[1] for channel in range(4)] == ["b", "b", "a", "a"]
    np.testing.assert_array_equal(whole.highest, [3, np.nan, np.nan, 2])


def test_layers_that_are_known_are_not_computed_again(tiny_network: Network, tmp_path: Path) -> None:
    for index, (width, height) in enumerate([(40, 52), (64, 33), (90, 90)]):
        _save(tmp_path / f"{index}.png", width, height, index)
    photos, known, passes = Photos(".", tmp_path).found, {}, []

    def remember(photo: Photo, layers: Any, compute: Any) -> dict[str, Bounds]:
        if missing := [layer for layer in layers if (photo.name, layer) not in known]:
            passes.append(missing)
            known.update({(photo.name, layer): bounds for layer, bounds in compute(missing).items()})
        return {layer: known[photo.name, layer] for layer in layers}

    photo_extremes(tiny_network, ["first"], photos[:1], remember)
    found = photo_extremes(tiny_network, ["first", "last", "input"], photos, remember)
    assert passes == [["first"], ["last", "input"], *[["first", "last", "input"]] * 2]
    for layer, extremes in found.items():
        np.testing.assert_array_equal(extremes.highest, photo_extremes(tiny_network, [layer], photos)[layer].highest)


def test_a_photo_of_ten_thousand_pixels_is_read_without_a_word(tmp_path: Path) -> None:
    """Pillow warns of it, once for each time that it is opened; it is read all the same."""
    Image.new("L", (10_000, 9_500)).save(tmp_path / "large.png")
    photo = Photo(tmp_path / "large.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not find_unreadable([photo])
        assert photo.pixels().shape == (365, 384, 3) and photo.area() > 0
