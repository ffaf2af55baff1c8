"""The command as a user meets it: real processes, real exit codes, what goes to which stream."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

CONFIG = """\
site: {title: Test}
visualization: {size: 32, steps: STEPS, attempts: 1}
circuits:
  - name: squeeze
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    hypothesis: {claims: [{polysemantic: true}, {polysemantic: false}]}
"""
HEAVY = ("tensorflow", "keras", "matplotlib", "skimage", "sklearn", "scipy", "h5py")


def _command(*arguments: object) -> list[str]:
    return [sys.executable, str(REPOSITORY / "generate.py"), *map(str, arguments)]


def _environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GRPC_"))} | more


def _run(folder: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), cwd=folder, capture_output=True, text=True, env=_environment(**more), timeout=300
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder with a config whose site was built, and what the command said."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "config.yaml").write_text(CONFIG.replace("STEPS", "2"))
    return folder, _run(folder, "config.yaml")


@pytest.fixture
def site(built: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """A copy of that folder, to do with as a test likes: a build in it takes a second."""
    shutil.copytree(built[0], tmp_path / "copy", copy_function=shutil.copy2)
    return tmp_path / "copy"


def test_stdout_is_the_path_and_stderr_the_log(built: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = built
    assert done.returncode == 0, done.stderr
    assert done.stdout == "site/index.html\n"
    assert (folder / done.stdout.strip()).is_file()
    lines = done.stderr.splitlines()
    assert any(re.fullmatch(r"squeeze: pictures of fire2/squeeze1x1: done in [\d.]+ s", line) for line in lines)
    # TensorFlow's own chatter, which no setting of its own silences.
    assert not re.search(r"absl|oneDNN|cuda|cpu_feature|TF_", done.stderr, re.IGNORECASE), done.stderr
    assert "\x1b" not in done.stderr
    assert lines[-2] == "squeeze: 1 supported, 1 contradicted"
    assert re.fullmatch(r"1 page in [\d.a-z ]+ s; open site/index.html", lines[-1])


def test_quiet_says_nothing(site: Path) -> None:
    done = _run(site, "config.yaml", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "site/index.html\n", "")


def test_the_path_is_printed_as_the_user_gave_it(site: Path, tmp_path: Path) -> None:
    assert _run(tmp_path, "copy/config.yaml", "-q").stdout == "copy/site/index.html\n"
    assert _run(site, "config.yaml", "-q", "--out", "../elsewhere").stdout == "../elsewhere/index.html\n"
    assert (tmp_path / "elsewhere" / "index.html").is_file()
    assert _run(site, site / "config.yaml", "-q").stdout == f"{site}/site/index.html\n"


def test_a_site_that_another_config_made_is_replaced_only_when_told_to(site: Path) -> None:
    text = (site / "config.yaml").read_text().replace("title: Test", "title: Mine")
    (site / "my-circuit.yaml").write_text(text)
    (site / "stranger").mkdir()
    (site / "stranger" / "config.yaml").write_text(text.replace("title: Mine", "title: Mine, out: ../site"))
    before = (site / "site" / "index.html").read_bytes()
    assert _run(site, "my-circuit.yaml", "-q").stdout == "my-circuit-site/index.html\n"
    assert (site / "site" / "index.html").read_bytes() == before
    for arguments in (("my-circuit.yaml", "--out", "site"), ("stranger/config.yaml",)):
        done = _run(site, *arguments, "--fresh")
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert "holds what config.yaml made" in line and "`--replace`" in line, "refused before anything is computed"
        assert (site / "site" / "index.html").read_bytes() == before
    done = _run(site, "my-circuit.yaml", "--out", "site", "--replace")
    assert done.returncode == 0 and "replaced in site: the 4 files that config.yaml made before" in done.stderr
    assert (site / "site" / "index.html").read_bytes() != before


def test_files_that_no_build_wrote_are_named_and_left(site: Path) -> None:
    (site / "site" / "CNAME").write_text("example.org")
    done = _run(site, "config.yaml", "--fresh", "--replace")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "no build wrote: CNAME." in line and "move them elsewhere" in line
    assert (site / "site" / "CNAME").read_text() == "example.org"


def test_a_path_whose_name_isnt_text_is_printed_byte_by_byte(site: Path) -> None:
    done = subprocess.run(
        [os.fsencode(each) for each in _command("config.yaml", "-q", "--out")] + [b"s\xefte"],
        cwd=site,
        capture_output=True,
        env=_environment(),
    )
    assert (done.returncode, done.stdout) == (0, b"s\xefte/index.html\n"), done.stderr


@pytest.mark.parametrize("module", ["generate.py", "-m"])
def test_both_ways_to_run_it(site: Path, module: str) -> None:
    command = [sys.executable, *(["-m", "vizengine"] if module == "-m" else [str(REPOSITORY / module)])]
    done = subprocess.run(
        [*command, "config.yaml", "--check"],
        cwd=site,
        capture_output=True,
        text=True,
        env=_environment(PYTHONPATH=str(REPOSITORY)),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "config.yaml: fine, 1 circuit\n", "")


def test_check_computes_and_writes_nothing(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "config.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "hypotheses", tmp_path / "hypotheses")
    (tmp_path / "vgg19.h5").touch()
    before = sorted(tmp_path.rglob("*"))
    done = _run(tmp_path, "config.yaml", "--check", VIZENGINE_WEIGHTS=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "config.yaml: fine, 2 circuits\n"), done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_check_tells_of_weights_that_are_not_there(tmp_path: Path) -> None:
    """It ends as the build would: an optional circuit is left out, and what Keras publishes may be downloaded."""
    circuit = "{name: a, network: {model: vgg19}, unit: {layer: block1_conv1, index: 0}}"
    text = f"site: {{title: Test}}\ncircuits: [{circuit}]\n"
    named = text.replace("vgg19}", "vgg19, weights: mine.h5}")
    path = "There is no weights file at mine.h5. Correct the path under `weights`."
    cases = [
        (text, 0, "the folder named in VIZENGINE_WEIGHTS, Keras' cache: no file of VGG19. Put vgg19_weights"),
        (text, 0, "The build tries to download them."),
        (text.replace("vgg19", "xception"), 0, "Keras' cache: no file of xception."),
        (named, 1, path),
        (named.replace("name: a", "name: a, optional: true"), 0, f"{path} The circuit is optional, and left out"),
    ]
    empty = {"KERAS_HOME": str(tmp_path / "keras"), "VIZENGINE_WEIGHTS": str(tmp_path / "none")}
    for config, code, words in cases:
        (tmp_path / "config.yaml").write_text(config)
        done = _run(tmp_path, "config.yaml", "--check", **empty)
        assert (done.returncode, done.stdout) == (code, "config.yaml: 1 circuit, weights not found of a\n"), done.stderr
        assert done.stderr.startswith("a: weights not found: ") and words in done.stderr
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "my-vgg19.h5").touch()
    (tmp_path / "config.yaml").write_text(text)
    assert _run(tmp_path, "config.yaml", "--check", **empty).stdout == "config.yaml: fine, 1 circuit\n"


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("config.yaml", "--check")])
def test_answers_in_under_a_second_without_heavy_libraries(site: Path, arguments: tuple[str, ...]) -> None:
    trace = subprocess.run(
        [sys.executable, "-X", "importtime", str(REPOSITORY / "generate.py"), *arguments],
        cwd=site,
        capture_output=True,
        text=True,
        env=_environment(),
    )
    assert trace.returncode == 0
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in trace.stderr.splitlines() if "|" in line}
    assert "vizengine" in loaded
    assert not loaded & set(HEAVY)

    def processor_seconds() -> float:
        process = subprocess.Popen(_command(*arguments), cwd=site, stdout=subprocess.DEVNULL, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime

    # The processor's time, not the clock's: the machine may be busy with other things.
    assert min(processor_seconds() for _ in range(3)) < 1


def test_help_names_every_option_and_exit_code(tmp_path: Path) -> None:
    text = _run(tmp_path, "--help").stdout
    assert "init [FOLDER]" in text and "Example: `python generate.py config.yaml --check`" in text
    for word in ("--out", "--only", "--strict", "--check", "--fresh", "--serve", "-q", "-v", "--version", "CONFIG"):
        assert word in text
    for code in ("0", "1", "2", "130"):
        assert re.search(rf"\b{code}\b", text.split("exit codes:")[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required: CONFIG; to start without one: python "),
        ((), "generate.py init my-circuits"),
        (("config.yaml", "--wrong"), "--wrong"),
        (("config.yaml", "-q", "-v"), "not allowed with"),
        (("config.yaml", "--check", "--serve"), "not allowed with"),
        (("config.yaml", "--serve", "65536"), "expected a port, 0 to 65535"),
        (("--serve", "config.yaml"), "CONFIG goes before --serve"),
        (("config.yaml", "--only", "squeze"), "expected one of squeeze; did you mean squeeze?"),
        (("config.yaml", "--out", "."), "holds the config"),
        (("config.yaml", "--out", ".."), "holds the config"),
        (("config.yaml", "--out", "config.yaml"), "a file; expected a folder"),
        (("confg.yaml",), "did you mean `config.yaml`?"),
        ((".",), "a folder; expected a config"),
    ],
)
def test_wrong_usage_is_2_and_leaves_everything_as_it_was(site: Path, arguments: tuple[str, ...], words: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    done = _run(site, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


def test_all_problems_of_a_config_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "site: {titel: Test}\n"
        "circuits:\n"
        "  - name: a\n"
        "    network: {model: vgg19}\n"
        "    unit: {layer: block3_conv33, index: 0}\n"
        "  - name: b\n"
        "    network: {model: squeezenet1.1}\n"
        "    unit: {layer: conv1, index: 64}\n"
        "    photos: photos\n"
        "    siblings: [3, 3]\n"
        "    hypothesis: {unit: 'It reaches {{ unit.reachd }}.'}\n"
    )
    for check in (("--check",), ()):
        done = _run(tmp_path, "config.yaml", *check)
        assert (done.returncode, done.stdout) == (2, "")
        lines = [line for line in done.stderr.splitlines() if line.startswith("config.yaml:")]
        places = [":".join(line.split(":")[:3]) for line in lines]
        assert places == [
            "config.yaml:1: site.titel",
            "config.yaml:1: site.title",
            "config.yaml:5: circuits.a.unit.layer",
            "config.yaml:8: circuits.b.unit.index",
            "config.yaml:9: circuits.b.photos",
            "config.yaml:10: circuits.b.siblings.1",
            "config.yaml:11: circuits.b.hypothesis.unit",
        ], done.stderr
        assert "block3_conv3" in lines[2]
        assert "63" in lines[3]
        assert done.stderr.splitlines()[-1] == "7 problems in the config"
        assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


@contextmanager
def _started(folder: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        _command(*arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(PYTHONUNBUFFERED="1"),
        # A shell that puts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        process.stderr.close()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    """The line of stderr that has these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"ended without saying {words!r}")


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_an_interrupted_build_keeps_what_is_finished(tmp_path: Path, number: int, code: int, word: str) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "20000"))
    with _started(tmp_path, "config.yaml") as process:
        _read_until(process, "pictures of conv1 …")
        time.sleep(1)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert stdout == ""
    last = stderr.strip().splitlines()[-1]
    assert last == f"{word}; what was finished is kept and the next run goes on from there"
    assert "Traceback" not in stderr
    assert not (tmp_path / "site").exists()
    kept = list((tmp_path / ".vizengine-cache").rglob("*.json"))
    assert kept, "the photos' pass through the network was finished and is kept"
    assert not list(tmp_path.rglob("*.part"))


def test_the_next_run_goes_on_after_the_last_finished_batch(tmp_path: Path) -> None:
    # Four batches: enough time to be interrupted between the first and the last.
    siblings = ", ".join(str(index) for index in range(4, 64))
    config = (
        CONFIG.replace("STEPS", "40").replace("fire2/squeeze1x1", "fire2/expand3x3").replace("size: 32", "size: 64")
    )
    (tmp_path / "config.yaml").write_text(f"{config}    siblings: [{siblings}]\n")
    pictures = tmp_path / ".vizengine-cache" / "pictures"

    def expand() -> dict[Path, tuple[int, int]]:
        """Entries of the unit's own layer, with what a rewrite would change."""
        kept = {}
        for path in pictures.glob("*.json") if pictures.is_dir() else ():
            if json.loads(path.read_text())["value"]["layer"] == "fire2/expand3x3":
                kept[path] = (path.stat().st_ino, path.stat().st_mtime_ns)
        return kept

    with _started(tmp_path, "config.yaml") as process:
        deadline = time.monotonic() + 120
        while not expand() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    kept = expand()
    assert 0 < len(kept) < 61, stderr
    done = _run(tmp_path, "config.yaml")
    assert done.returncode == 0, done.stderr
    after = expand()
    # One for each unit, and one for what the unit is most against.
    assert len(after) == 62
    assert {path: after[path] for path in kept} == kept


def test_what_steers_a_terminal_is_shown_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "2") + '    "\\e[31m\\u202eoptional": true\n')
    done = _run(tmp_path, "config.yaml")
    assert done.returncode == 2
    assert "circuits.squeeze.\\x1b[31m\\u202eoptional: unknown setting" in done.stderr
    assert "\x1b" not in done.stderr and "\u202e" not in done.stderr


def test_serve_shows_the_site_until_interrupted(site: Path) -> None:
    with _started(site, "config.yaml", "--serve", "0") as process:
        address = _read_until(process, "serving").split(" at ")[1].split()[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.read() == (site / "site" / "index.html").read_bytes()
            assert answer.headers["Cache-Control"] == "no-store"
        with pytest.raises(OSError, match="404"):
            urllib.request.urlopen(address + "../.vizengine-cache/.gitignore", timeout=10)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "site/index.html\n")


def test_a_port_in_use_is_known_before_the_build(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "2"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run(tmp_path, "config.yaml", "--serve", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} can't be had: address already in use")
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


def test_a_reader_who_has_gone_is_no_error(site: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            _command("config.yaml"), cwd=site, stdout=write, stderr=subprocess.PIPE, text=True, env=_environment()
        )
    finally:
        os.close(write)
    assert done.returncode == 0
    assert "BrokenPipe" not in done.stderr


def test_on_a_terminal_there_are_bars(site: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        _command("config.yaml", "--fresh"),
        cwd=site,
        stdout=subprocess.PIPE,
        stderr=follower,
        env=_environment(TERM="xterm-256color", COLUMNS="100"),
    )
    os.close(follower)
    shown = b""
    try:
        while block := os.read(leader, 65536):
            shown += block
    except OSError:  # Linux says so when the other end has closed.
        pass
    finally:
        os.close(leader)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read() == b"site/index.html\n"
    assert process.wait() == 0
    text = shown.decode()
    assert "\x1b[" in text and "━" in text
    assert "8/8" in re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", text)
    assert "squeeze: pictures of fire2/squeeze1x1: done in" in text
    assert "oneDNN" not in text


def _broken_library(folder: Path) -> dict[str, str]:
    """An installation in which a library fails in a way that nobody foresaw."""
    (folder / "broken").mkdir()
    (folder / "broken" / "jinja2.py").write_text("raise RuntimeError('a broken\\n installation')\n")
    return {"PYTHONPATH": str(folder / "broken")}


def test_an_unexpected_error_is_one_line_and_a_request(site: Path) -> None:
    environment = _broken_library(site)
    done = _run(site, "config.yaml", **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == [
        "unexpected error: RuntimeError: a broken installation",
        "run again with -v for the traceback, and please report it",
    ]
    assert "Traceback" not in done.stderr
    loud = _run(site, "config.yaml", "-v", **environment)
    assert loud.returncode == 1
    assert "Traceback" in loud.stderr and "jinja2.py" in loud.stderr


def test_a_package_that_isnt_installed(site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(REPOSITORY / "generate.py"), "config.yaml"], cwd=site, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.search(r"the package \w+ isn't installed; run: pip install -r requirements.txt", done.stderr)


def test_a_disk_that_says_no(site: Path) -> None:
    done = _run(site, "config.yaml", "--out", "/proc/vizengine/site")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr


def test_tensorflow_that_cant_be_loaded_shows_what_it_said(tmp_path: Path) -> None:
    """The error stream is held while it starts; a failure must not be swallowed with the chatter."""
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "2"))
    package = tmp_path / "broken" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nos.write(2, b'why it failed\\n')\nraise ImportError('no AVX')\n")
    done = _run(tmp_path, "config.yaml", PYTHONPATH=str(tmp_path / "broken"))
    assert done.returncode == 1
    assert "why it failed" in done.stderr
    assert "unexpected error: ImportError: no AVX" in done.stderr


def _exit_code(call: Callable[[list[str]], int], *arguments: str) -> int:
    return call(list(arguments))


def test_main_returns_the_exit_code_and_leaves_the_process_as_it_was(
    site: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import logging

    from vizengine.cli import main

    monkeypatch.chdir(site)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    handlers, handler = list(logging.getLogger().handlers), signal.getsignal(signal.SIGTERM)
    assert _exit_code(main, "config.yaml", "--check") == 0
    assert capfd.readouterr().out == "config.yaml: fine, 1 circuit\n"
    assert _exit_code(main, "--version") == 0
    assert _exit_code(main) == 2
    assert logging.getLogger().handlers == handlers
    assert signal.getsignal(signal.SIGTERM) is handler
