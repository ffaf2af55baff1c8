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

from tests.conftest import REPOSITORY
from tests.layers.setups import command, digests, environment, run, write_config

pytest.importorskip("distributed", reason="Dask isn't installed: pip install 'vizengine[scale]'")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site that one process gives."""
    folder = tmp_path_factory.mktemp("alone")
    run(write_config(folder))
    return folder / "site"


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
    alone: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
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
    assert digests(tmp_path / "site") == digests(alone)


def test_a_config_connects_to_no_scheduler(tmp_path: Path) -> None:
    """What a scheduler answers is unpickled and can run code, so a stranger's config may not name one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        config = write_config(tmp_path, execution=f"execution: {{scheduler: '{address}'}}")
        for options in (["--check"], []):
            done = subprocess.run(
                command(config, *options), env=environment(), capture_output=True, text=True, timeout=300
            )
            with pytest.raises(TimeoutError):
                listener.accept()
            assert done.returncode == 2
            assert "config.yaml:3: execution.scheduler: " in done.stderr and "`--scheduler ADDRESS`" in done.stderr
        run(write_config(tmp_path), "--scheduler", address.replace("tcp", "http"), code=2)


def test_local_workers_give_the_same_site(alone: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, execution="execution: {workers: 2}")
    done = run(config, "-v")
    assert len(set(re.findall(r"\(process (\d+)\)", done.stderr))) == 2
    assert "Scheduler at" not in done.stderr and "distributed.worker" not in done.stderr
    assert digests(tmp_path / "site") == digests(alone)


def test_a_killed_run_leaves_no_workers_behind_and_the_next_goes_on(alone: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, execution="execution: {workers: 2}")
    kept = tmp_path / ".vizengine-cache" / "pictures"
    process = subprocess.Popen(command(config), env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(kept.glob("*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    try:
        _, orphans = psutil.wait_procs(workers, timeout=60)
        assert not orphans
    finally:
        for worker in workers:
            if worker.is_running():
                worker.kill()
    assert not (tmp_path / "site").exists()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    run(write_config(tmp_path))
    after = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert before.items() <= after.items()
    assert digests(tmp_path / "site") == digests(alone)
