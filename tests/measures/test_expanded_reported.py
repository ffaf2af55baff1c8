"""Weights to earlier layers, readers and inner inputs as the page says them."""

from __future__ import annotations

import io
from base64 import b64decode

import numpy as np
from PIL import Image

from tests.page import example
from vizengine.figures.drawing import weight_colour
from vizengine.measures.expanded import MOST_POSITIONS, expanded_report
from vizengine.measures.readings import outputs_report


def _pixels(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(b64decode(source.partition(",")[2]))).convert("RGB"), int)


def test_a_kernel_is_drawn_a_pixel_for_each_position_in_its_own_colour() -> None:
    found = example.expanded(example.circuit())
    report = expanded_report(found)
    for section, layer in zip(found.sections, report.layers, strict=True):
        scale = np.abs(section.linear).max()
        for kernel, shown in zip(section.linear, layer.kernels, strict=True):
            expected = np.array([[weight_colour(float(value), float(scale)) for value in row] for row in kernel])
            # Colours are rounded to a level; between two lie at most as many steps of a channel.
            assert np.abs(_pixels(shown.linear.source) - expected).max() <= 5
        assert float(layer.scale.value) == scale
    assert (
        report.layers[0].kernels[3].agreement is None
        and np.ptp(_pixels(report.layers[0].kernels[3].weighted.source)) == 0
    )


def test_a_wide_kernel_is_made_smaller_and_kept_without_loss() -> None:
    found = example.expanded(example.circuit())
    wide = np.random.default_rng(2).normal(size=(4, 200, 200)).astype(np.float32)
    section = example.replace(found.sections[0], linear=wide)
    picture = expanded_report(example.replace(found, sections=(section,))).layers[0].kernels[0].linear
    assert (picture.width, picture.height) == (MOST_POSITIONS, MOST_POSITIONS)
    assert (
        picture.source.startswith("data:image/webp")
        and len(np.unique(_pixels(picture.source).reshape(-1, 3), axis=0)) <= 64
    )


def test_readers_are_named_with_their_share() -> None:
    given = example.outputs(example.circuit())
    report = outputs_report(given)
    assert [each.label for each in report.excited] == [f"{each.layer}:{each.unit}" for each in given.excited]
    assert report.inhibited[0].share.text == "6.1" and report.inhibited[0].share.unit == "%"
    assert float(report.scale.value) == max(np.abs(each.kernel).max() for each in (*given.excited, *given.inhibited))


def test_inner_inputs_are_those_of_the_input() -> None:
    given = example.branches(example.circuit())
    for branch, made in zip(example.report().tree, given, strict=True):
        assert branch.missing == made.reason
        strongest = () if made.circuit is None else made.circuit.strongest
        assert [twig.label for twig in branch.inputs] == [each.label for each in strongest]
        assert [twig.norm.value for twig in branch.inputs] == [each.norm for each in strongest]
