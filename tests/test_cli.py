"""The command as a user meets it: real processes, real exit codes, what goes to which stream."""

from __future__ import annotations

import logging
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import runs
from tests.places import REPOSITORY
from tests.runs import command, environment, run
from vizengine.cli import main

CONFIG = """\
site: {title: Test}
visualization: {size: 32, steps: STEPS, attempts: 1}
circuits:
  - name: squeeze
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    hypothesis: {claims: [{prefers: {uniform: {}, over: {bar: {}}}}, {prefers: {bar: {}, over: {uniform: {}}}}]}
"""
HEAVY = ("tensorflow", "keras", "matplotlib", "skimage", "sklearn", "scipy", "h5py")


@pytest.fixture
def site(circuit_site: Path, tmp_path: Path) -> Path:
    """A copy of the circuit's folder beside other things."""
    shutil.copytree(circuit_site, tmp_path / "copy")
    return tmp_path / "copy"


def test_stdout_is_the_path_and_stderr_the_log(circuit_site: Path) -> None:
    said = (circuit_site / runs.SAID).read_text()
    lines = said.splitlines()
    assert any(re.fullmatch(r"squeeze: pictures of fire2/squeeze1x1: done in [\d.]+ s", line) for line in lines)
    # TensorFlow's own chatter, which no setting of its own silences.
    assert not re.search(r"absl|oneDNN|cuda|cpu_feature|TF_", said, re.IGNORECASE), said
    assert "\x1b" not in said
    assert lines[-2] == "squeeze: 1 supported, 1 contradicted"
    assert re.fullmatch(r"1 page in [\d.a-z ]+ s; open site/index.html", lines[-1])


def test_quiet_prints_the_path_alone_as_the_user_gave_it(site: Path, tmp_path: Path) -> None:
    done = run(site, "config.yaml", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "site/index.html\n", "")
    assert run(tmp_path, "copy/config.yaml", "-q").stdout == "copy/site/index.html\n"
    assert run(site, "config.yaml", "-q", "--out", "../elsewhere").stdout == "../elsewhere/index.html\n"
    assert (tmp_path / "elsewhere" / "index.html").is_file()
    assert run(site, site / "config.yaml", "-q").stdout == f"{site}/site/index.html\n"


def test_a_site_that_another_config_made_is_replaced_only_when_told_to(site: Path) -> None:
    text = (site / "config.yaml").read_text().replace("title: Test", "title: Mine")
    (site / "my-circuit.yaml").write_text(text)
    (site / "stranger").mkdir()
    runs.write_photos(site / "stranger")
    (site / "stranger" / "config.yaml").write_text(text.replace("title: Mine", "title: Mine, out: ../site"))
    before = (site / "site" / "index.html").read_bytes()
    assert run(site, "my-circuit.yaml", "-q").stdout == "my-circuit-site/index.html\n"
    assert (site / "site" / "index.html").read_bytes() == before
    for arguments in (("my-circuit.yaml", "--out", "site"), ("stranger/config.yaml",)):
        done = run(site, *arguments, "--fresh")
        assert (done.returncode, done.stdout) == (1, "")
        (line,) = done.stderr.splitlines()
        assert "holds what config.yaml made" in line and "`--replace`" in line, "refused before anything is computed"
        assert (site / "site" / "index.html").read_bytes() == before
    done = run(site, "my-circuit.yaml", "--out", "site", "--replace")
    assert done.returncode == 0 and "replaced in site: the 5 files that config.yaml made before" in done.stderr
    assert (site / "site" / "index.html").read_bytes() != before


def test_a_path_whose_name_isnt_text_is_printed_byte_by_byte(site: Path) -> None:
    done = subprocess.run(
        [os.fsencode(word) for word in command("config.yaml", "-q", "--out")] + [b"s\xefte"],
        cwd=site,
        capture_output=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout) == (0, b"s\xefte/index.html\n"), done.stderr


def test_the_package_can_be_run_too(site: Path) -> None:
    python = [sys.executable, "-m", "vizengine", "config.yaml", "--check"]
    done = subprocess.run(python, cwd=site, capture_output=True, text=True, env=environment(PYTHONPATH=str(REPOSITORY)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "config.yaml: fine, 1 circuit\n", "")


def test_check_computes_and_writes_nothing(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "config.yaml", tmp_path)
    shutil.copytree(REPOSITORY / "hypotheses", tmp_path / "hypotheses")
    (tmp_path / "vgg19.h5").touch()
    before = sorted(tmp_path.rglob("*"))
    done = run(tmp_path, "config.yaml", "--check", VIZENGINE_WEIGHTS=str(tmp_path))
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
        done = run(tmp_path, "config.yaml", "--check", **empty)
        assert (done.returncode, done.stdout) == (code, "config.yaml: 1 circuit, weights not found of a\n"), done.stderr
        assert done.stderr.startswith("a: weights not found: ") and words in done.stderr
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "my-vgg19.h5").touch()
    (tmp_path / "config.yaml").write_text(text)
    assert run(tmp_path, "config.yaml", "--check", **empty).stdout == "config.yaml: fine, 1 circuit\n"


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("config.yaml", "--check")])
def test_answers_without_heavy_libraries(site: Path, arguments: tuple[str, ...]) -> None:
    trace = run(site, *arguments, code=0, trace=True).stderr
    loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in trace.splitlines() if "|" in line}
    assert "vizengine" in loaded and not loaded & set(HEAVY)


def test_help_says_how_to_start_and_what_exit_codes_mean(tmp_path: Path) -> None:
    text = run(tmp_path, "--help").stdout
    assert "init [FOLDER]" in text and "Example: `python generate.py config.yaml --check`" in text
    assert re.search(r"exit codes: 0 .* 1 .* 2 .* 130 .* 143 ", text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required: CONFIG; to start without one: python "),
        ((), "generate.py init my-circuits"),
        (("config.yaml", "--serve", "65536"), "expected a port, 0 to 65535"),
        (("--serve", "config.yaml"), "CONFIG goes before --serve"),
        (("config.yaml", "--only", "squeze"), "expected one of squeeze; did you mean squeeze?"),
        (("config.yaml", "--out", "."), "holds the config"),
        (("config.yaml", "--out", "config.yaml"), "a file; expected a folder"),
        (("confg.yaml",), "did you mean `config.yaml`?"),
        ((".",), "a folder; expected a config"),
    ],
)
def test_wrong_usage_is_2_and_leaves_everything_as_it_was(site: Path, arguments: tuple[str, ...], words: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    done = run(site, *arguments)
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
        done = run(tmp_path, "config.yaml", *check)
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
    process = runs.start(folder, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


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
    assert stdout == "" and "Traceback" not in stderr
    last = stderr.strip().splitlines()[-1]
    assert last == f"{word}; what was finished is kept and the next run goes on from there"
    assert not (tmp_path / "site").exists() and not list(tmp_path.rglob("*.part"))
    assert list((tmp_path / ".vizengine-cache").rglob("*.json")), "the photos' pass through the network was finished"


def test_what_steers_a_terminal_is_shown_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "2") + '    "\\e[31m\\u202eoptional": true\n')
    done = run(tmp_path, "config.yaml")
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
        done = run(tmp_path, "config.yaml", "--serve", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: port {port} can't be had: address already in use")
    assert list(tmp_path.iterdir()) == [tmp_path / "config.yaml"]


def test_a_reader_who_has_gone_is_no_error(site: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            command("config.yaml"), cwd=site, stdout=write, stderr=subprocess.PIPE, text=True, env=environment()
        )
    finally:
        os.close(write)
    assert done.returncode == 0
    assert "BrokenPipe" not in done.stderr


def test_on_a_terminal_there_are_bars(site: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command("config.yaml", "--fresh"),
        cwd=site,
        stdout=subprocess.PIPE,
        stderr=follower,
        env=environment(TERM="xterm-256color", COLUMNS="100"),
    )
    os.close(follower)
    output = b""
    try:
        while block := os.read(leader, 65536):
            output += block
    except OSError:  # Linux says so when the other end has closed.
        pass
    finally:
        os.close(leader)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read() == b"site/index.html\n"
    assert process.wait() == 0
    text = output.decode()
    assert "\x1b[" in text and "━" in text
    assert "4/4" in re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", text)
    assert "squeeze: pictures of fire2/squeeze1x1: done in" in text
    assert "oneDNN" not in text


def test_an_unexpected_error_is_one_line_and_a_request(site: Path) -> None:
    (site / "broken").mkdir()
    (site / "broken" / "jinja2.py").write_text("raise RuntimeError('a broken\\n installation')\n")
    path = str(site / "broken")
    done = run(site, "config.yaml", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == [
        "unexpected error: RuntimeError: a broken installation",
        "run again with -v for the traceback, and please report it",
    ]
    assert "Traceback" not in done.stderr
    loud = run(site, "config.yaml", "-v", PYTHONPATH=path)
    assert loud.returncode == 1
    assert "Traceback" in loud.stderr and "jinja2.py" in loud.stderr


def test_a_package_that_isnt_installed(site: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(REPOSITORY / "generate.py"), "config.yaml"], cwd=site, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.search(r"the package \w+ isn't installed; run: pip install -r requirements.txt", done.stderr)


def test_tensorflow_that_cant_be_loaded_shows_what_it_said(tmp_path: Path) -> None:
    """The error stream is held while it starts; a failure must not be swallowed with the chatter."""
    (tmp_path / "config.yaml").write_text(CONFIG.replace("STEPS", "2"))
    package = tmp_path / "broken" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os\nos.write(2, b'why it failed\\n')\nraise ImportError('no AVX')\n")
    done = run(tmp_path, "config.yaml", PYTHONPATH=str(tmp_path / "broken"))
    assert done.returncode == 1
    assert "why it failed" in done.stderr
    assert "unexpected error: ImportError: no AVX" in done.stderr


def test_main_returns_the_exit_code_and_leaves_the_process_as_it_was(
    site: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(site)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    handlers, handler = list(logging.getLogger().handlers), signal.getsignal(signal.SIGTERM)
    assert main(["config.yaml", "--check"]) == 0
    assert capfd.readouterr().out == "config.yaml: fine, 1 circuit\n"
    assert (main(["--version"]), main([])) == (0, 2)
    assert logging.getLogger().handlers == handlers
    assert signal.getsignal(signal.SIGTERM) is handler
