"""A stranger's config reads nothing outside its folder but photos from a folder that it names outright."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.runs import run
from vizengine.check import check
from vizengine.config import paths
from vizengine.errors import ConfigError
from vizengine.measures import photos as photo_files
from vizengine.measures.photos import Photos
from vizengine.network.catalogue import read_labels
from vizengine.network.files import weights_path

CONFIG = """\
site: {title: Strange%s}
photos: %s
visualization: {size: 32, steps: 2, attempts: 1}
circuits:
  - name: one
    network: {%s}
    unit: {layer: fire2/squeeze1x1, index: 3}
    inputs: 2
"""
SECRET = "not for you"
SQUEEZENET = "model: squeezenet1.1"
# How a config may try to name a file beside its folder: by `..`, by a link, by its whole path, by the home folder.
WAYS = ("../private", "away", "photos/../../private", "PRIVATE", "~/private")
NETWORKS = (
    "model: squeezenet1.1, labels: %s/secret.txt",
    "model: squeezenet1.1, weights: %s/secret.h5",
    "model: resnet50, weights: %s/secret.h5",
    "model: vgg19, weights_folder: %s",
    "model: %s/secret.keras, preprocess: {}",
    'model: squeezenet1.1, why: {file: "%s/secret.txt"}',
)
PATTERNS = (
    *("/**/*.png", "/*/*/*.png", "~/**/*.png", "../**/*.png", "../../**", "away", "away/**/*.png", "away/album/*.png"),
    *("photos/*/../../../**/*.png", "photos/../away", "/proc/**/*.png", "PRIVATE/../**/*.png"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config's folder with a photo, links that lead out of it, and what they lead to beside it."""
    inside, outside = tmp_path / "bundle", tmp_path / "private"
    for place in (inside / "photos" / "deep", outside / "album"):
        place.mkdir(parents=True)
    _photo(inside / "photos" / "mine.png")
    _photo(outside / "passport.png")
    _photo(outside / "album" / "child.png")
    for name in ("secret.txt", "secret.h5", "secret.keras"):
        (outside / name).write_text(f"{SECRET}\n")
    (inside / "away").symlink_to(outside)
    (inside / "photos" / "stolen.png").symlink_to(outside / "passport.png")
    (inside / "photos" / "deep" / "away").symlink_to(outside)
    for variable in ("VIZENGINE_WEIGHTS", "KERAS_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
        (tmp_path / variable / "models").mkdir(parents=True)
    return inside


def _photo(path: Path) -> None:
    Image.new("RGB", (40, 40), "teal").save(path)


def _config(folder: Path, network: str = SQUEEZENET, photos: str = "samples", out: str = "") -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG % (out, photos, network))
    return path


def _refused(path: Path, confined: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        check(path, confined)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "confined"),
    [
        *(({"network": network % way}, False) for network in NETWORKS for way in WAYS),
        *(({"photos": pattern}, False) for pattern in PATTERNS),
        *(({"photos": photos}, True) for photos in ("../private", "PRIVATE", "~/private/*.png")),
        *(({"out": f", out: {out}"}, True) for out in ("../elsewhere", "away/site", "PRIVATE/site", "~/elsewhere")),
        ({"network": "model: own:model, trust: true, preprocess: {}"}, True),
    ],
)
def test_what_a_config_may_not_name_is_refused(
    folder: Path, settings: dict[str, str], confined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = folder.parent / "private"
    monkeypatch.setenv("HOME", str(folder.parent))
    (folder / "own.py").write_text("import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n")
    path = _config(folder, **{name: text.replace("PRIVATE", str(private)) for name, text in settings.items()})
    before = sorted(folder.parent.rglob("*"))
    message = _refused(path, confined)
    assert "config.yaml:" in message and SECRET not in message
    assert sorted(folder.parent.rglob("*")) == before, "something was written"


def test_the_rule_holds_where_files_are_read_too(folder: Path) -> None:
    """A link may be put there between the check and the run."""
    for read in (read_labels, weights_path):
        with pytest.raises(paths.NotAdmitted, match="lies outside the config's folder"):
            read("away/secret.txt", folder)


@pytest.mark.parametrize("variable", ["VIZENGINE_WEIGHTS", "KERAS_HOME"])
def test_weights_may_lie_in_the_users_folders_for_weights(folder: Path, variable: str) -> None:
    place = folder.parent / variable / ("models" if variable == "KERAS_HOME" else "")
    (place / "mine.h5").touch()
    for named in ("mine.h5", str(place / "mine.h5")):
        assert weights_path(named, folder).samefile(place / "mine.h5")
        check(_config(folder, f"model: squeezenet1.1, weights: {named}"))
    # A file of the config's own comes first; what these folders hold besides weights isn't a config's to name.
    (folder / "mine.h5").touch()
    assert weights_path("mine.h5", folder) == folder / "mine.h5"
    assert "lies outside" in _refused(_config(folder, f"model: squeezenet1.1, labels: {place}/mine.h5"))
    assert "lies outside" in _refused(_config(folder, f"model: squeezenet1.1, weights: {place}/mine.h5"), True)


@pytest.mark.parametrize(
    ("pattern", "found", "led_out"),
    [
        ("photos", ["again", "mine"], ("stolen.png",)),
        ("photos/*", ["again", "mine"], ("stolen.png",)),
        ("photos/**/*.png", ["again", "mine"], ("deep/away", "stolen.png")),
        ("photos/**", ["again", "mine"], ("deep/away", "stolen.png")),
        ("photos/*/*/*.png", ["again", "mine"], ("deep/away", "deep/up/stolen.png")),
    ],
)
def test_links_out_of_a_photo_folder_are_passed_over(
    folder: Path, pattern: str, found: list[str], led_out: tuple[str, ...]
) -> None:
    (folder / "photos" / "again.png").symlink_to(folder / "photos" / "mine.png")
    (folder / "photos" / "deep" / "up").symlink_to(folder / "photos")
    photos = Photos(pattern, folder)
    assert [photo.name for photo in photos.found] == found
    assert photos.led_out == led_out and photos.outside is None


def test_a_photo_folder_elsewhere_is_named_outright_or_not_at_all(folder: Path) -> None:
    private = folder.parent / "private"
    for named in (str(private), "../private", f"{private}/*.png", "../private/passport.png"):
        photos = Photos(named, folder)
        assert [photo.name for photo in photos.found] == ["passport"] and photos.outside == private
        check(_config(folder, photos=named))
        assert "--confined takes nothing" in _refused(_config(folder, photos=named), confined=True)
    for named in ("away", "away/*.png", str(folder / "away"), "photos/../away/album"):
        assert "by a link, to " in _refused(_config(folder, photos=named))


def test_a_pattern_that_looks_into_too_many_folders_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_files, "MOST_FOLDERS", 20)
    for number in range(25):
        (folder.parent / "private" / "album" / str(number)).mkdir()
    assert "more than 20 folders" in _refused(_config(folder, photos="../private/**/*.png"))
    assert [photo.name for photo in Photos("../private/*.png", folder).found] == ["passport"]


def test_pictures_from_elsewhere_are_told_and_confined_takes_none(folder: Path) -> None:
    private = folder.parent / "private"
    _config(folder, photos="../private")
    words = f"pictures from {private}, which lies outside the config's folder, are on the pages"
    done = run(folder, "config.yaml", "--check")
    assert (done.returncode, done.stdout) == (0, "config.yaml: fine, 1 circuit\n") and words in done.stderr.splitlines()
    done = run(folder, "config.yaml")
    assert done.returncode == 0 and words in done.stderr.splitlines(), done.stderr
    done = run(folder, "config.yaml", "--confined")
    assert done.returncode == 2 and "config.yaml:2: photos: ../private lies outside" in done.stderr
    # With photos of its own the link among them is told, and `--out` is the word of who builds.
    _config(folder, photos="photos")
    done = run(folder, "config.yaml", "--confined", "--out", "../built")
    assert done.returncode == 0 and (folder.parent / "built" / "index.html").is_file(), done.stderr
    assert "photo stolen.png is skipped: it is a link that leads out" in done.stderr
    assert "passport" not in (folder.parent / "built" / "index.html").read_text()
    shutil.rmtree(folder / ".vizengine-cache")
    (folder / ".vizengine-cache").symlink_to(private)
    before = sorted(os.listdir(private))
    done = run(folder, "config.yaml", "--confined", "--check")
    assert done.returncode == 2 and ".vizengine-cache is a link that leads out" in done.stderr
    assert sorted(os.listdir(private)) == before
