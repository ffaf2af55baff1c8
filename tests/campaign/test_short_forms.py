"""The campaigns in a minute: a case or some of each; what a unit test holds already isn't tried again."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.campaign import caches, configs, disks, downloads, forgeries, kills, memory, models, pairs, photos, serving
from tests.campaign.strangers import Case, bundle, refuse, refused
from tests.runs import built, limited
from vizengine.errors import WeightsUnavailable
from vizengine.network import catalogue, download
from vizengine.network.files import UnreadableWeights, read_layers


def test_damaged_and_forged_results_are_computed_again(tmp_path: Path) -> None:
    expected, draw = built(tmp_path), random.Random(0)
    caches.damage(tmp_path, expected, "another result's", 3, draw)
    forgeries.forge(tmp_path, expected, "other figures", draw)


def test_a_run_that_is_killed_while_it_writes_loses_nothing(tmp_path: Path) -> None:
    kills.strike(kills.subject(tmp_path), "SIGKILL", True, random.Random(0))


def test_of_two_runs_the_second_goes_on_where_the_first_is_killed(tmp_path: Path) -> None:
    pairs.killed_before(tmp_path)


@pytest.mark.parametrize("case", disks.CASES, ids=lambda case: case.__name__)
def test_a_disk_that_says_no(case: Callable[[Path], None], tmp_path: Path) -> None:
    try:
        case(tmp_path)
    except disks.NotHere as reason:
        pytest.skip(str(reason))


def test_the_corpus_of_configs(tmp_path: Path) -> None:
    folder = configs.folder_for(tmp_path)
    assert configs.put(configs.SOUND.encode(), folder) == "fine"
    for content in configs.CORPUS:
        ended = configs.put(content, folder)
        assert ended == "refused" or b"{file: " not in content, content[:400]


def test_drawn_configs(tmp_path: Path) -> None:
    folder = configs.folder_for(tmp_path)

    @seed(1)
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(configs.INPUTS)
    def one(content: bytes) -> None:
        configs.put(content, folder)

    one()


@pytest.mark.parametrize("name", downloads.ANSWERS)
def test_what_came_is_not_the_weights(name: str, tmp_path: Path) -> None:
    with downloads.server(downloads.ANSWERS[name]) as address:
        assert downloads.fetch(address, tmp_path)


def test_a_server_that_trickles_or_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PATIENCE_SECONDS", 2)
    monkeypatch.setattr(download, "_CHUNK_BYTES", 4)
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 1)
    with downloads.trickling() as address:
        assert "bytes came in" in downloads.fetch(address, tmp_path)
    with downloads.server(None) as address:
        assert "nothing came for 1 s" in downloads.fetch(address, tmp_path)
    # By now nobody listens there.
    assert "Connection" in downloads.fetch(address, tmp_path)


def test_real_runs_whose_weights_cant_come_say_what_to_do(tmp_path: Path) -> None:
    for name in ("own", "keras"):
        (tmp_path / name).mkdir()
    assert "VIZENGINE_WEIGHTS" in downloads.behind_proxy(tmp_path / "own", downloads.ANSWERS["a page instead"])
    downloads.broken_before(tmp_path / "keras", downloads.half_a_file())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_a_run_without_memory_says_so_and_the_site_stands(tmp_path: Path) -> None:
    """TensorFlow's library alone takes more; the estimate of another run warns before."""
    assert memory.short_of_memory(tmp_path, 700, memory.prepared(tmp_path)) == "a message"
    (tmp_path / "config.yaml").write_text(
        "site: {title: Many}\nvisualization: {size: 64, steps: 4, attempts: 1}\nexecution: {workers: 64}\n"
        "circuits:\n  - name: sweep\n    network: {model: squeezenet1.1}\n"
        "    unit: {layer: fire2/squeeze1x1, index: [0, 1]}\n"
    )
    done = limited("-v 6000000", tmp_path, "config.yaml", "--estimate")
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "memory:" in line)
    assert "GB are free: name fewer `workers`, or smaller pictures" in line


@pytest.mark.parametrize("what", models.WEIGHTS_REFUSED)
def test_weights_are_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, write, words = models.WEIGHTS_REFUSED[what]
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(UnreadableWeights) as caught:
        read_layers(tmp_path / name, catalogue.catalogue_entry("squeezenet1.1").architecture.layers)
    # Where the whole file is refused, the words come with what names it.
    assert words in f"can't be read: {caught.value}"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("what", models.MODELS_REFUSED)
def test_models_are_refused(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vizengine.network.open import open_file

    name, write, words = models.MODELS_REFUSED[what]
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(WeightsUnavailable, match=words):
        open_file(tmp_path / name, tmp_path, trust=False)
    assert not (tmp_path / "ran").exists()


def test_odd_and_damaged_photos_are_read_right_or_skipped(tmp_path: Path) -> None:
    photos.write(tmp_path / "odd", photos.READ | photos.SKIPPED)
    assert photos.misread(tmp_path / "odd") == []
    draw = random.Random(1)
    assert {photos.put(tmp_path, *photos.damaged(draw)) for _ in range(150)} == {"read", "skipped"}


def test_nothing_from_outside_the_site_is_served(tmp_path: Path) -> None:
    result = serving.campaign()
    assert result.held, result.outcome
    with serving.serving(tmp_path) as (host, port):
        assert host == "127.0.0.1"
        for path in ("/", "/index.html", "/inside.html", "/deep/page.html", "/index.html?a=../secret"):
            assert serving.ask(host, port, serving.get(path, f"{host}:{port}")).endswith(serving.PAGE), path


@pytest.mark.parametrize("case", list(refused()), ids=lambda case: case.what)
def test_a_strangers_config_is_refused(case: Case, tmp_path: Path) -> None:
    refuse(case, bundle(tmp_path))
