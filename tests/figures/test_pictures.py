"""Pictures inside the page, and one red and one blue wherever effects are drawn."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

from tests.page import example
from vizengine.figures.drawing import EXCITES, INHIBITS, diverging
from vizengine.figures.pictures import decoded, overlay, picture
from vizengine.page.preview import WIDTH, preview
from vizengine.page.render import templates_folder


def test_flat_colours_are_kept_exactly() -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[..., 1] = 255
    green = picture(pixels, "green", 256)
    assert np.array_equal(np.asarray(decoded(green).convert("RGB")), pixels)
    assert green.alt == "green"


def test_a_large_picture_is_made_smaller_and_a_small_one_is_not_made_larger() -> None:
    assert picture(example.blobs(1, 300), "", 200).width == 200
    small = picture(example.blobs(1, 64), "", 200)
    assert (small.width, small.height, decoded(small).size) == (64, 64, (64, 64))


def test_equal_pixels_give_equal_bytes() -> None:
    assert picture(example.blobs(3), "", 256) == picture(example.blobs(3), "", 256)


def test_fine_saturated_patterns_keep_their_colours() -> None:
    down, across = np.mgrid[:128, :128]
    stripes = np.where(((down + across) % 4 < 2)[..., None], (255, 40, 0), (0, 90, 255)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 40, stripes.shape, np.uint8)
    pixels = np.clip(stripes.astype(int) + noise - 20, 0, 255).astype(np.uint8)
    kept = np.asarray(decoded(picture(pixels, "", 256)).convert("RGB"), int)
    assert np.abs(kept - pixels).mean() < 6


def test_a_large_noisy_picture_can_be_encoded() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (600, 600, 3), np.uint8)
    assert decoded(picture(pixels, "", 600)).size == (600, 600)


def test_an_overlay_is_opaque_where_it_is_strong() -> None:
    strength = np.linspace(0, 1, 48).reshape(6, 8)
    red = overlay(strength, (202, 0, 32), "here")
    pixels = np.asarray(decoded(red).convert("RGBA"), int)
    assert (red.width, red.height, red.alt) == (8, 6, "here")
    assert np.abs(pixels[..., 3] / 255 - strength).max() <= 1 / 30 + 1e-9
    assert pixels[0, 0, 3] == 0 and pixels[-1, -1].tolist() == [202, 0, 32, 255]


def test_page_kernels_photos_and_preview_share_one_red_and_one_blue() -> None:
    style = (templates_folder() / "assets" / "page.css").read_text(encoding="utf-8")
    report = example.report()
    # The preview's arrows, between kernels and picture, of which the wide ones excite; a JPEG changes colours a little.
    arrows = np.asarray(Image.open(io.BytesIO(preview(report))).convert("RGB"), int)[:, WIDTH // 5 : WIDTH // 2]
    for name, colour, weight in (("excites", EXCITES, 1.0), ("inhibits", INHIBITS, -1.0)):
        assert re.findall(rf"--{name}: light-dark\((#\w+),", style) == [diverging(weight, 1.0)]
        assert "#{:02x}{:02x}{:02x}".format(*colour) == diverging(weight, 1.0)
    assert np.abs(arrows - EXCITES).max(axis=2).min() < 12
    for photo in report.evidence.examples.maps:
        pixels = np.asarray(decoded(photo.overlay).convert("RGBA"))
        assert (pixels[..., :3] == EXCITES).all()
