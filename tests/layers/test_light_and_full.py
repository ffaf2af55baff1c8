"""A light page and a full page of one unit say the same wherever they say the same thing."""

from __future__ import annotations

import pytest
from PIL import Image
from skimage import data

from tests.layers.setups import run, write_config
from vizengine.config.load import load
from vizengine.figures.quantities import Quantity
from vizengine.layers.pages import SweepRun
from vizengine.layers.views import UnitPage
from vizengine.layers.workers import SweepContext
from vizengine.measures.readings import OutputSlice
from vizengine.measures.stream import FEWEST_HELD_OUT
from vizengine.output import SILENT
from vizengine.page.report import Report

LAYER, UNIT = "fire2/squeeze1x1", 3
CIRCUIT = f"  - name: one\n    network: {{model: squeezenet1.1}}\n    unit: {{layer: {LAYER}, index: {UNIT}}}\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, UnitPage]:
    """The full and the light page of one unit."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "photos").mkdir()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        for place in range(4):
            top, left = 100 * (place // 2), 150 * (place % 2)
            part = Image.fromarray(getattr(data, name)()[top : top + 72, left : left + 96])
            part.save(folder / "photos" / f"{name}{place}.png")
    path = write_config(folder, f"{{layer: {LAYER}, index: 2-3}}", more=f"{CIRCUIT}    inputs: 3\n")
    run(path)
    sweep = SweepRun(SweepContext.beside(load(path), "small"), SILENT, may_compute=False)
    sweep.report()
    full = Report.model_validate_json((folder / "site" / "one" / "circuit.json").read_bytes())
    return full, sweep.page(LAYER, UNIT)


def _same(light: Quantity | None, full: Quantity | None) -> None:
    assert light is not None and full is not None
    # One goes through the network photo by photo for all units, the other for this unit alone.
    assert light.value == pytest.approx(full.value, rel=1e-4, abs=1e-6)
    assert (light.text, light.unit) == (full.text, full.unit)


def test_the_picture(pages: tuple[Report, UnitPage]) -> None:
    full, light = pages
    _same(light.reached, full.feature.reached)
    _same(light.photo_best, full.feature.photo_best)
    assert (light.photo_best_name, light.tile.verdict) == (full.feature.photo_best_name, full.feature.verdict)


def test_the_inputs(pages: tuple[Report, UnitPage]) -> None:
    full, light = pages
    _same(light.input_count, full.totals.inputs)
    _same(light.scale, full.kernel_scale)
    assert [connection.label for connection in light.inputs] == [strong.slice.label for strong in full.strongest]
    for connection, strong, effect in zip(light.inputs, full.strongest, full.evidence.effects.inputs, strict=True):
        assert (connection.sign, connection.kernel) == (strong.slice.sign, strong.slice.kernel)
        for name in ("norm", "share", "contribution"):
            _same(getattr(connection.slice, name), getattr(strong.slice, name))
        _same(getattr(connection.slice, "drive_share"), effect.share)  # noqa: B009
        assert connection.slice.contribution.value == pytest.approx(effect.contribution.mean.value, rel=1e-4)
    parts = {part.name: part.value for part in light.parts}
    by_label = {channel.label: channel.contribution for channel in full.inputs}
    shown = parts.keys() & by_label.keys()
    assert len(shown) == 6
    for label in shown:
        _same(parts[label], by_label[label])
    assert light.total is not None and light.held_out_count is not None
    assert light.total.value == pytest.approx(full.evidence.effects.baseline.value, rel=1e-4)
    _same(light.held_out_count, full.evidence.effects.photos)
    assert light.held_out_count.value >= FEWEST_HELD_OUT


def test_the_examples(pages: tuple[Report, UnitPage]) -> None:
    full, light = pages
    _same(light.example_count, full.evidence.effects.examples)
    # No photo of an example is one of those from which contributions come.
    _same(light.photo_count, full.evidence.examples.photos)
    assert light.shown_count is not None and light.photo_count is not None
    assert light.photo_count.value - light.shown_count.value == full.evidence.examples.held_out.value > 0
    assert len(light.examples) == 6
    for ours, theirs in zip(light.examples, full.evidence.examples.top, strict=False):
        assert (ours.photo, ours.row, ours.column) == (theirs.photo, theirs.row, theirs.column)
        assert ours.picture.alt == theirs.picture.alt
        _same(ours.pre, theirs.pre)


def test_the_figures(pages: tuple[Report, UnitPage]) -> None:
    full, light = pages
    _same(light.figures["firing"], full.evidence.examples.fires)
    indices = {index.name: index.value for index in full.evidence.tuning.indices}
    second, fourth = indices["orientation selectivity"], indices["crossed orientations"]
    larger = second if second is None or fourth is None or second.value >= fourth.value else fourth
    for name, theirs in (("orientation", larger), ("hue", indices["hue selectivity"])):
        ours = light.figures[name]
        if theirs is None:
            assert ours is None
        else:
            _same(ours, theirs)
    # A full page has mean and deviation themselves.
    examples, strength = full.evidence.examples, light.figures["strength"]
    assert strength is not None and full.feature.photo_best is not None
    above = (full.feature.photo_best.value - examples.mean.value) / examples.deviation.value
    assert strength.value == pytest.approx(above, rel=1e-4)


def test_the_readers(pages: tuple[Report, UnitPage]) -> None:
    full, light = pages
    assert full.outputs.excited and full.outputs.inhibited
    _same(light.output_scale, full.outputs.scale)
    for ours, theirs in ((light.excited, full.outputs.excited), (light.inhibited, full.outputs.inhibited)):
        slices = [connection.slice for connection in ours]
        assert all(isinstance(output, OutputSlice) for output in slices)
        assert slices == list(theirs)
