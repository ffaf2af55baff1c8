"""Networks for the tests: a tiny seeded one for speed, the real ones for truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tiny import tiny_architecture, tiny_weights
from vizengine.cache import Cache
from vizengine.network import catalogue as zoo
from vizengine.network import weights as weights_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from vizengine.network.model import Network

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_WEIGHTS = REPOSITORY.parent / "shared" / "weights"


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
    return Network(entry.architecture, weights_files.read(file, entry.architecture.layers))


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
    return Network(entry.architecture, weights_files.read(file, entry.architecture.layers))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of a run: Playwright can't be started twice in one process."""
    from playwright.sync_api import sync_playwright

    from tests.browser.checks import chromium

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield running
        running.close()
