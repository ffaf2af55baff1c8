"""One red for what excites and one blue for what inhibits, wherever they are drawn."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

from tests.figures.test_pictures import decoded
from tests.page import example
from vizengine.figures.drawing import EXCITES, INHIBITS, diverging
from vizengine.page.preview import WIDTH, preview
from vizengine.page.render import templates_folder


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
        pixels = np.asarray(decoded(photo.overlay.source).convert("RGBA"))
        assert (pixels[..., :3] == EXCITES).all()
