"""Files that bring code, swell or lead elsewhere: each of the campaign's, read in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.models import MODELS_REFUSED, WEIGHTS_REFUSED
from vizengine.errors import WeightsUnavailable
from vizengine.network import catalogue as zoo
from vizengine.network.files import UnreadableWeights, read_layers


@pytest.mark.parametrize("what", WEIGHTS_REFUSED)
def test_weights_are_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, write, words = WEIGHTS_REFUSED[what]
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(UnreadableWeights) as caught:
        read_layers(tmp_path / name, zoo.catalogue_entry("squeezenet1.1").architecture.layers)
    # Where the whole file is refused, the words come with what names it.
    assert words in f"can't be read: {caught.value}"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("what", MODELS_REFUSED)
def test_models_are_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vizengine.network.open import open_file

    name, write, words = MODELS_REFUSED[what]
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(WeightsUnavailable, match=words):
        open_file(tmp_path / name, tmp_path, trust=False)
    assert not (tmp_path / "ran").exists()
