"""Networks for the tests: a tiny seeded one for speed, the real ones for truth."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

import vizengine
from tests import runs
from tests.places import REPOSITORY
from tests.tiny import tiny_architecture, tiny_weights
from vizengine.cache import Cache
from vizengine.network import catalogue as zoo
from vizengine.network import weights as weights_files
from vizengine.network.files import read_layers
from vizengine.page.report import Report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from vizengine.network.model import Network

SHARED_WEIGHTS = REPOSITORY.parent / "shared" / "weights"


# What takes longest is begun first, so that the processes of a run end together.
LONGEST = (
    "tests/test_pipeline.py",
    "tests/layers/test_cluster.py",
    "tests/measures/test_engine.py",
    "tests/documentation/test_commands.py",
    "tests/campaign/test_short_forms.py",
    "tests/layers/test_layer_survey.py",
    "tests/browser/test_pages.py",
    "tests/layers/test_run.py",
    "tests/pictures/test_ascent.py",
    "tests/test_cli.py",
    "tests/browser/test_site.py",
    "tests/test_analysis.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of `LONGEST` first, in their order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session")
def tiny_network() -> Network:
    """A network of five small conv layers with pooling and concatenation, seeded."""
    from vizengine.network.model import Network

    return Network(tiny_architecture(), tiny_weights())


@pytest.fixture(scope="session")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """SqueezeNet 1.1 with its real weights."""
    from vizengine.network.model import Network

    entry = zoo.catalogue_entry("squeezenet1.1")
    cache = Cache(tmp_path_factory.mktemp("cache"))
    file = weights_files.locate(entry, None, None, Path(), entry.architecture.layers, cache)
    return Network(entry.architecture, read_layers(file.path, entry.architecture.layers))


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The folder with VGG19's real weights of blocks 1 to 3, kept beside a development checkout."""
    if not SHARED_WEIGHTS.is_dir():
        pytest.skip("VGG19's weights aren't here: no folder ../shared/weights beside the checkout")
    return SHARED_WEIGHTS


@pytest.fixture(scope="session")
def vgg19(shared_weights: Path) -> Network:
    """VGG19 up to block 3 with its real weights."""
    from vizengine.network.model import Network

    entry = zoo.catalogue_entry("vgg19")
    (path,) = shared_weights.glob("*vgg19*.h5")
    file = weights_files.WeightsFile(path, "test", "")
    return Network(entry.architecture, read_layers(file.path, entry.architecture.layers))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def circuit_site(shared_folder: Path) -> Path:
    """The config, the site and the cache of one SqueezeNet circuit; not to be changed."""
    return runs.build_once(shared_folder / "circuit", runs.CIRCUIT)


@pytest.fixture(scope="session")
def sweep_site(shared_folder: Path) -> Path:
    """The config, the site and the cache of a sweep of 80 units; not to be changed."""
    return runs.build_once(shared_folder / "sweep", runs.SWEEP)


@pytest.fixture(scope="session")
def surveyed(shared_folder: Path, sweep_site: Path) -> Path:
    """The same with the survey of `fire2/squeeze1x1`, all that it needs having been kept; not to be changed."""
    folder = shared_folder / "surveyed"
    with FileLock(f"{folder}.lock"):
        if not (folder / "survey").exists():
            shutil.copytree(sweep_site, folder, dirs_exist_ok=True)
            done = runs.run(folder, "config.yaml", "--survey", "fire2/squeeze1x1", code=0, trace=True)
            assert "tensorflow" not in done.stderr
            assert done.stdout == "survey/squeezenet1-1-fire2-squeeze1x1/index.html\n"
            assert runs.contents(folder / "site") == runs.contents(sweep_site / "site")
    return folder


@pytest.fixture
def circuit_copy(circuit_site: Path, tmp_path: Path) -> Path:
    """A copy of the circuit's folder, to do with as a test likes: a build in it takes a second."""
    shutil.copytree(circuit_site, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def sweep_copy(sweep_site: Path, tmp_path: Path) -> Path:
    """A copy of the sweep's folder."""
    shutil.copytree(sweep_site, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def analysis(circuit_site: Path) -> vizengine.Analysis:
    """The same circuit by the Python API, from the command's cache."""
    (circuit,) = vizengine.analyze(circuit_site / "config.yaml", progress=False)
    return circuit


@pytest.fixture(scope="session")
def published(circuit_site: Path) -> Report:
    """What the circuit's site says."""
    return Report.model_validate_json((circuit_site / "site" / "circuit.json").read_bytes())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of a run: Playwright can't be started twice in one process."""
    from playwright.sync_api import sync_playwright

    from tests.browser.checks import chromium

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()
