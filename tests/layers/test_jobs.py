"""Which units a config names, and what it says of those that aren't there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.setups import write_config
from tests.places import REPOSITORY
from vizengine.check import check_entry
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.errors import ConfigError
from vizengine.layers.jobs import chosen_layers, named_units, source_layers
from vizengine.network import catalogue as zoo
from vizengine.network.layers import INPUT

ARCHITECTURE = zoo.catalogue_entry("squeezenet1.1").architecture


def _section(folder: Path, unit: str) -> SweepSection:
    (section,) = load(write_config(folder, unit), (check_entry,)).circuits
    assert isinstance(section, SweepSection)
    return section


@pytest.mark.parametrize(
    ("unit", "layers", "units"),
    [
        ("{layer: conv1, index: all}", ("conv1",), tuple(range(64))),
        ("{layer: conv1, index: 3-5}", ("conv1",), (3, 4, 5)),
        ("{layer: conv1, index: [7, 1, 2-3, 3]}", ("conv1",), (1, 2, 3, 7)),
        ("{layer: [fire3/expand1x1, conv1], index: [9]}", ("conv1", "fire3/expand1x1"), (9,)),
        ("{layer: 'fire[23]/squeeze*', index: 0}", ("fire2/squeeze1x1", "fire3/squeeze1x1"), (0,)),
    ],
)
def test_units_are_named_in_many_ways(
    tmp_path: Path, unit: str, layers: tuple[str, ...], units: tuple[int, ...]
) -> None:
    section = _section(tmp_path, unit)
    assert chosen_layers(section.unit, ARCHITECTURE) == layers
    assert named_units(section.unit, ARCHITECTURE.channels(layers[0])) == units


def test_all_means_every_conv_unit(tmp_path: Path) -> None:
    section = _section(tmp_path, "all")
    layers = chosen_layers(section.unit, ARCHITECTURE)
    assert sum(len(named_units(section.unit, ARCHITECTURE.channels(layer))) for layer in layers) == 2944 + 1000


def test_one_unit_of_one_layer_stays_a_circuit(tmp_path: Path) -> None:
    path = write_config(tmp_path, "{layer: conv1, index: 3}")
    assert isinstance(load(path).circuits[0], CircuitSection)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("{layer: conv1, index: 60-64}", "unit 64 is out of range; expected 0 to 63"),
        ("{layer: [conv1, fire2/sqeeze1x1], index: all}", "did you mean fire2/squeeze1x1?"),
        ("{layer: 'ice*', index: all}", "no layer ice*; expected a conv layer: conv1, fire2"),
        ("{layer: [conv1, maxpool1], index: all}", "is no conv layer (max_pool); did you mean"),
        ("{layer: conv1, top: 3}", "both `top` and `by`"),
        ("{layer: conv1, index: all, top: 3, by: hue}", "either `index`"),
        ("{layer: conv1, top: 3, by: colour}", "expected one of `strength`, `firing`, `orientation`, `hue`, `norm`"),
        ("{layer: conv1, index: [1, 5-2]}", "expected `all`, an index, a range"),
        ("{layer: conv1, index: []}", "an empty list"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, unit: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write_config(tmp_path, unit), (check_entry,))
    (problem,) = caught.value.problems
    assert expected in problem.message and problem.line == 8


def test_the_execution_is_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one of `workers` and `gpus`"):
        load(write_config(tmp_path, execution="{workers: 2, gpus: 1}"))
    assert load(write_config(tmp_path, execution="{workers: 2}")).execution.workers == 2


def test_the_example_names_fire5_and_what_it_reads() -> None:
    (section,) = load(REPOSITORY / "examples" / "squeezenet-fire5.yaml", (check_entry,)).circuits
    assert isinstance(section, SweepSection)
    layers = chosen_layers(section.unit, ARCHITECTURE)
    assert layers == ("fire4/expand1x1", "fire4/expand3x3", "fire5/squeeze1x1", "fire5/expand3x3")
    assert source_layers(ARCHITECTURE, "fire5/expand3x3") == layers[2:3]
    assert source_layers(ARCHITECTURE, "fire5/squeeze1x1") == layers[:2]


def test_who_feeds_and_reads_a_layer() -> None:
    assert source_layers(ARCHITECTURE, "conv1") == (INPUT,)
    assert source_layers(ARCHITECTURE, "fire3/squeeze1x1") == ("fire2/expand1x1", "fire2/expand3x3")
