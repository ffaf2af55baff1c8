"""What `--check` finds before anything is computed: flaws of a circuit's section, and links that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from vizengine.check import check
from vizengine.config.schema import CircuitSection
from vizengine.errors import ConfigError

CONFIG = """\
site: {title: Circuit}
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: %s, index: 3}
    %s
"""


def _checked(folder: Path, layer: str, setting: str) -> CircuitSection:
    path = folder / "config.yaml"
    path.write_text(CONFIG % (layer, setting), encoding="utf-8")
    (section,) = check(path).circuits
    assert isinstance(section, CircuitSection)
    return section


def test_earlier_layers_and_depth_are_taken_as_written(tmp_path: Path) -> None:
    section = _checked(tmp_path, "fire3/squeeze1x1", "earlier: [fire2/squeeze1x1, input]\n    depth: 2")
    assert section.earlier == ("fire2/squeeze1x1", "input") and section.depth == 2
    assert _checked(tmp_path, "fire3/squeeze1x1", "earlier: []").earlier == ()


@pytest.mark.parametrize(
    ("layer", "setting", "words"),
    [
        ("fire3/squeeze1x1", "earlier: [fire2/squeze1x1]", "did you mean fire2/squeeze1x1?"),
        ("fire3/squeeze1x1", "earlier: [fire2/expand1x1]", "reads fire2/expand1x1 itself"),
        ("fire3/squeeze1x1", "earlier: [fire9/squeeze1x1]", "isn't an earlier layer"),
        ("conv1", "earlier: [fire2/squeeze1x1]", "there is none; leave `earlier` out"),
        ("conv1", "depth: 2", "whose colours have no inputs; leave it out"),
        ("fire3/squeeze1x1", "depth: 3", "expected at most 2"),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_line(tmp_path: Path, layer: str, setting: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _checked(tmp_path, layer, setting)
    assert words in str(caught.value) and "config.yaml:6" in str(caught.value)


@pytest.mark.parametrize("written", ["conv3_3", "relu3_3", "conv3_3_conv3_3_0"])
def test_a_name_of_the_literature_is_answered_with_ours(tmp_path: Path, written: str) -> None:
    path = tmp_path / "config.yaml"
    text = CONFIG % (written, "")
    for unit in (text, text.replace("index: 3", "index: all")):
        path.write_text(unit.replace("squeezenet1.1", "vgg19"))
        with pytest.raises(ConfigError, match="did you mean block3_conv3?"):
            check(path)


@pytest.mark.parametrize("name", ["conv 1", "Blöcke_2"])
def test_a_layer_that_tensorflow_cannot_compute_is_told_by_the_check(tmp_path: Path, name: str) -> None:
    """Keras makes such layers, saves and opens them; TensorFlow refuses their names once they are to compute."""
    image = keras.Input((32, 32, 3))
    maps = keras.layers.Conv2D(4, 3, name=name)(image)
    maps = keras.layers.Conv2D(4, 3, name="after")(maps)
    up = keras.layers.UpSampling2D(name="up")(maps)
    model = keras.Model(image, keras.layers.Conv2D(4, 3, name="ändern")(up))
    model.save(tmp_path / "model.keras")
    path = tmp_path / "config.yaml"
    text = CONFIG.replace("squeezenet1.1", "model.keras, preprocess: {scale: 255}")
    path.write_text(text % ("after", ""))
    with pytest.raises(ConfigError) as caught:
        check(path)
    (problem,) = caught.value.problems
    assert problem.line == 4 and f"`{name}` can't be computed" in problem.message, problem
    # A layer of another kind is called what Keras calls it, and only layers that can be shown are offered.
    path.write_text(text % ("up", ""))
    with pytest.raises(ConfigError, match=rf"is no conv layer \(UpSampling2D\); expected a conv layer: {name}, after$"):
        check(path)


LINKED = """\
site: {title: Test}
circuits:
  - name: first
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    hypothesis:
      unit: |
        Opening UNIT

        OTHER
      circuit: "CIRCUIT"
  - name: second
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 4}
  - name: many
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 0-1}
"""


def _link_problems(folder: Path, unit: str = "", other: str = "", circuit: str = "", alone: bool = False) -> list[str]:
    config = folder / "config.yaml"
    text = LINKED.replace("UNIT", unit).replace("OTHER", other).replace("CIRCUIT", circuit)
    config.write_text(text.partition("  - name: second")[0] if alone else text)
    try:
        check(config)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "link",
    [
        "[a](../second/index.html)",
        "[a](../second/index.html#made)",
        "[a](#claims)",
        "[a](#contributions)",
        "[a](../index.html#second)",
        "[a](circuit.json)",
        "[a](../config.yaml)",
        "[a](../many/fire2/0.html)",
        "[a](https://example.org/x.png)",
        "[a](mailto:a@example.org)",
        "`[a](no.html)`",
    ],
)
def test_links_that_lead_somewhere(tmp_path: Path, link: str) -> None:
    assert _link_problems(tmp_path, other=link, circuit=link) == []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("![r](../../x.png)", "the link `../../x.png` leads to no file of the site"),
        ("[a](../third/index.html)", "leads to no file of the site; expected the page of another circuit"),
        ("[a](second.html)", "`../second/index.html`"),
        ("[a](#nowhere)", "leads to no place on the page"),
        ("[a](../second/index.html#nowhere)", "leads to no place on that page"),
    ],
)
def test_links_that_lead_nowhere_are_told_with_their_line(tmp_path: Path, link: str, words: str) -> None:
    for line, texts in ((7, {"other": link}), (11, {"circuit": link})):
        (problem,) = _link_problems(tmp_path, **texts)
        assert f"config.yaml:{line}: " in problem and words in problem


def test_the_first_paragraph_stands_on_the_index_too(tmp_path: Path) -> None:
    (problem,) = _link_problems(tmp_path, unit="[a](../second/index.html)")
    assert "stands on the site's first page too" in problem
    # A site of one circuit has no index besides.
    assert _link_problems(tmp_path, unit="[a](#made)", alone=True) == []
    assert _link_problems(tmp_path, unit="[a](../config.yaml)", alone=True) != []
