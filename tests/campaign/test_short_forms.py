"""The campaigns in a minute: a case or some of each."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.campaign import configs, kept, kills, memory, photos
from tests.runs import built, limited


def test_damaged_and_forged_results_are_computed_again(tmp_path: Path) -> None:
    expected, draw = built(tmp_path), random.Random(0)
    kept.damage(tmp_path, expected, "another result's", draw, most=3)
    kept.forge(tmp_path, expected, "with other figures", draw)


def test_a_run_that_is_killed_while_it_writes_loses_nothing(tmp_path: Path) -> None:
    kills.strike(kills.subject(tmp_path), "SIGKILL", True, random.Random(0))


def test_of_two_runs_the_second_goes_on_where_the_first_is_killed(tmp_path: Path) -> None:
    kills.kill_the_first(tmp_path)


def test_configs_are_sound_or_refused(tmp_path: Path) -> None:
    folder = configs.hostile_folder(tmp_path)
    assert configs.check(configs.SOUND.encode(), folder) == "fine"
    for content in configs.CORPUS:
        end = configs.check(content, folder)
        assert end == "refused" or b"{file: " not in content, content[:400]
    configs.check_drawn(1000, 100, folder)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_a_run_without_memory_says_so_and_the_site_stands(tmp_path: Path) -> None:
    """TensorFlow's library alone takes more; the estimate of another run warns before."""
    assert memory.run_short(tmp_path, 700, memory.prepare(tmp_path)) == "runs with a message"
    (tmp_path / "config.yaml").write_text(
        "site: {title: Many}\nvisualization: {size: 64, steps: 4, attempts: 1}\nexecution: {workers: 64}\n"
        "circuits:\n  - name: sweep\n    network: {model: squeezenet1.1}\n"
        "    unit: {layer: fire2/squeeze1x1, index: [0, 1]}\n"
    )
    done = limited("-v 6000000", tmp_path, "config.yaml", "--estimate")
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "memory:" in line)
    assert "GB are free: name fewer `workers`, or smaller pictures" in line


def test_odd_and_damaged_photos_are_read_right_or_skipped(tmp_path: Path) -> None:
    photos.write(tmp_path / "odd", photos.READ | photos.SKIPPED)
    assert photos.misread(tmp_path / "odd") == []
    draw = random.Random(1)
    assert {photos.read(tmp_path, *photos.damaged(draw)) for _ in range(150)} == {
        "damaged and read",
        "damaged and skipped",
    }
