"""A sweep on a real cluster: scheduler and workers are processes of their own, and one of them is killed."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import runs
from tests.layers.setups import run, times, write_config
from tests.places import REPOSITORY
from tests.runs import command, contents, environment

pytest.importorskip("distributed", reason="Dask isn't installed: pip install 'vizengine[scale]'")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler on loopback, and its two workers, which no nanny starts again."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    own = {**environment(), "PYTHONPATH": str(REPOSITORY)}
    log = (tmp_path / "cluster.log").open("wb")

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        python = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        # A group of its own, so that nothing else of the test gets the signal.
        return subprocess.Popen(python, env=own, stdout=log, stderr=log, start_new_session=True)

    processes = [start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "dask")]
    workers = [start("dask_worker", address, *options, "--name", name) for name in ("one", "two")]
    try:
        yield address, workers
    finally:
        for process in (*workers, *processes):
            process.kill()
            process.wait()
        log.close()


def test_a_worker_that_is_killed_loses_only_its_batch(
    sweep_site: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = cluster
    config = write_config(tmp_path)
    log = tmp_path / "run.log"
    with log.open("wb") as stream:
        named = {**environment(), "VIZENGINE_SCHEDULER": address}
        process = subprocess.Popen(command(config, "-v"), env=named, stdout=stream, stderr=stream)
        kept = tmp_path / ".vizengine-cache" / "pictures"
        deadline = time.monotonic() + 120
        while not list(kept.glob("*.json")) and time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()[-2000:]
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)
        assert workers[0].wait() == -signal.SIGKILL
        assert process.wait(timeout=200) == 0, log.read_text()[-3000:]
    assert workers[1].poll() is None
    said = log.read_text()
    by = set(re.findall(r"by tcp://\S+ \(process (\d+)\)", said))
    assert by <= {str(worker.pid) for worker in workers} and str(workers[1].pid) in by
    assert contents(tmp_path / "site") == contents(sweep_site / "site")


SCHEDULERS = (
    "execution: {scheduler: 'ADDRESS'}",
    "execution: {workers: 1, scheduler: 'ADDRESS'}",
    "execution: {\"sch\\u0065duler\": 'ADDRESS'}",
    "a: &a {scheduler: 'ADDRESS'}\nexecution: {<<: *a}",
    "execution: &a {scheduler: 'ADDRESS'}",
    "execution: {gpus: 1, threads: 1, scheduler: 'ADDRESS'}",
    "execution: {Scheduler: 'ADDRESS'}",
)


def test_a_config_connects_to_no_scheduler(tmp_path: Path) -> None:
    """What a scheduler answers is unpickled and can run code, so a stranger's config may not name one."""
    config = write_config(tmp_path)
    sound = config.read_text()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        for lines in SCHEDULERS:
            config.write_text(sound.replace("execution: {}", lines.replace("ADDRESS", address)))
            for options in (["--check"], []):
                done = run(config, *options, code=2)
                assert re.search(r"config\.yaml:[45]: .*cheduler", done.stderr), done.stderr
                with pytest.raises(TimeoutError):
                    listener.accept()
    config.write_text(sound)
    run(config, "--scheduler", address.replace("tcp", "http"), code=2)


def test_local_workers_give_the_same_site(sweep_site: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, execution="{workers: 2}")
    done = run(config, "-v")
    assert len(set(re.findall(r"\(process (\d+)\)", done.stderr))) == 2
    assert "Scheduler at" not in done.stderr and "distributed.worker" not in done.stderr
    assert contents(tmp_path / "site") == contents(sweep_site / "site")


def test_a_killed_run_leaves_no_workers_behind_and_the_next_goes_on(sweep_site: Path, tmp_path: Path) -> None:
    write_config(tmp_path, execution="{workers: 2}")
    process = runs.start(tmp_path, "config.yaml")
    runs.wait_for(process, lambda: times(tmp_path))
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.kill()
    process.communicate()
    try:
        _, orphans = psutil.wait_procs(workers, timeout=60)
        assert not orphans
    finally:
        for worker in workers:
            if worker.is_running():
                worker.kill()
    assert not (tmp_path / "site").exists()
    before = times(tmp_path)
    assert 0 < len(before) < 83
    run(write_config(tmp_path))
    assert len(times(tmp_path)) == 83 and before.items() <= times(tmp_path).items()
    assert contents(tmp_path / "site") == contents(sweep_site / "site")
