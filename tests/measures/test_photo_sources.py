"""Sources of photos: several in a list, and what each of them is refused for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runs import run
from vizengine.check import check
from vizengine.errors import ConfigError
from vizengine.measures.photo_sources import PhotoSources

CONFIG = """\
site: {title: Sources}
visualization: {size: 32, steps: 2, attempts: 1}
photos: PHOTOS
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: conv1, index: 3}
    inputs: 2
"""


def _photo(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def _config(folder: Path, photos: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("PHOTOS", photos))
    return path


def _problems(path: Path, confined: bool = False) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        check(path, confined)
    return [(problem.line, problem.key, problem.message) for problem in caught.value.problems]


def test_photos_of_all_sources_come_in_order_and_a_file_once(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/1.png", "a/1.png", "a/deep/3.png"):
        _photo(tmp_path / name)
    sources = PhotoSources(("b", "a/**/*.png", "b/1.png", str(tmp_path / "a"), "samples"), tmp_path)
    places = [photo.path.relative_to(tmp_path).as_posix() for photo in sources.found[:4]]
    assert places == ["b/1.png", "b/2.png", "a/1.png", "a/deep/3.png"]
    assert len(sources.found) == 4 + len(PhotoSources("samples", tmp_path).found)


def test_each_source_is_checked_and_told_with_its_line(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    _photo(inside / "good" / "mine.png")
    _photo(outside / "passport.png")
    (inside / "empty").mkdir()
    (inside / "away").symlink_to(outside)
    (inside / "links").mkdir()
    (inside / "links" / "stolen.png").symlink_to(outside / "passport.png")
    names = ("good", "missing", "missing.png", "empty", "away", "/**/*.png", "links", "../outside")
    path = _config(inside, "".join(f"\n  - {name}" for name in names))
    expected = [
        (5, "photos.1", "there is no folder missing"),
        (6, "photos.2", "there is no photo missing.png"),
        (7, "photos.3", "no images in empty"),
        (8, "photos.4", "leads out of the config's folder by a link"),
        (9, "photos.5", "searches all of /"),
        (10, "photos.6", "links that lead out of it don't count, as stolen.png"),
    ]
    confined = (11, "photos.7", "lies outside the config's folder, from where --confined takes nothing")
    for problems, wanted in ((_problems(path), expected), (_problems(path, True), [*expected, confined])):
        for (line, key, message), (wanted_line, wanted_key, words) in zip(problems, wanted, strict=True):
            assert (line, key) == (wanted_line, wanted_key) and words in message


@pytest.mark.parametrize(
    ("photos", "key", "words"),
    [
        ("[]", "photos", "received an empty list; expected at least one"),
        ("[samples, 5]", "photos.1", "received `5`; expected text; put quotes around it"),
        ("5", "photos", "received `5`; expected text; put quotes around it"),
        ("{samples: 1}", "photos", "received a section; expected text"),
        ("[samples, ' ']", "photos.1", 'received `""`; expected text that'),
        ("[[samples]]", "photos.0", "received a list of 1; expected text"),
    ],
)
def test_what_is_no_source_is_told_as_it_stands(tmp_path: Path, photos: str, key: str, words: str) -> None:
    ((line, place, message),) = _problems(_config(tmp_path, photos))
    assert (line, place) == (3, key) and words in message


def test_a_page_has_the_photos_of_all_sources_but_for_those_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that can't be read costs no other of its name."""
    for number, name in enumerate(("first/same.png", "second/same.png", "second/other.png")):
        _photo(tmp_path / name, number)
    (tmp_path / "first" / "same.png").write_bytes(b"no picture")
    _photo(tmp_path.parent / "elsewhere" / "far.png", 7)
    _config(tmp_path, "[first, second, ../elsewhere]")
    done = run(tmp_path, "config.yaml", code=0)
    assert done.stderr.count("photo same.png is skipped") == 1
    assert f"pictures from {tmp_path.parent / 'elsewhere'}, which lies outside" in done.stderr
    report = json.loads((tmp_path / "site" / "circuit.json").read_text())
    assert [photo["name"] for photo in report["classification"]["photos"]] == ["other", "same", "far"]
    assert report["config"]["photos"] == ["first", "second", "../elsewhere"]
    (tmp_path / "second" / "other.png").unlink()
    (tmp_path / "second" / "same.png").write_bytes(b"no picture")
    _config(tmp_path, "[first, second]")
    assert "None of the photos in first and second can be read" in run(tmp_path, "config.yaml", code=1).stderr
