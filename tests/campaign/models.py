"""Files of models and weights that bring code, swell or lead elsewhere: refused by the real command."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.campaign import Campaign, Result, Tally
from tests.runs import run

MOST_KILOBYTES = 3_000_000
"""The most memory that a run may take to refuse a file, TensorFlow included."""
_LAYER = "model_weights/conv1"


class _Runs:
    """Pickles to a call."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.made = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.made


def _pickled(path: Path, what: Any) -> None:
    path.write_bytes(pickle.dumps(what, protocol=2))


def _claiming(target: Path | io.BytesIO, rows: int) -> None:
    """Weights of which nothing is stored but the claim to be so many rows of a million numbers."""
    with h5py.File(target, "w") as file:
        group = file.create_group(_LAYER)
        group.attrs["weight_names"] = [b"kernel", b"bias"]
        group.create_dataset("kernel", shape=(rows, 1_000_000), dtype="f4", chunks=(1000, 1000), compression="gzip")
        group.create_dataset("bias", data=np.zeros(64, np.float32))


def _elsewhere(path: Path, link: Callable[[h5py.Group, Path], None]) -> None:
    """Weights that lie in another file."""
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros((3, 3, 3, 64), np.float32)
    with h5py.File(path, "w") as file:
        group = file.create_group(_LAYER)
        group.attrs["weight_names"] = [b"kernel", b"bias"]
        group.create_dataset("bias", data=np.zeros(64, np.float32))
        link(group, other)


def _linked(group: h5py.Group, other: Path) -> None:
    group["kernel"] = h5py.ExternalLink(other, "secret")


def _external(group: h5py.Group, other: Path) -> None:
    group.create_dataset("kernel", (3, 3, 3, 64), "f4", external=[(str(other), 0, h5py.h5f.UNLIMITED)])


def _virtual(group: h5py.Group, other: Path) -> None:
    layout = h5py.VirtualLayout((3, 3, 3, 64), "f4")
    layout[...] = h5py.VirtualSource(other, "secret", (3, 3, 3, 64))
    group.create_virtual_dataset("kernel", layout)


def _zipped_bomb(path: Path) -> None:
    """A model whose weights are zeros, packed to a thousandth."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {}}))
        with archive.open("model.weights.h5", "w", force_zip64=True) as stream:
            for _ in range(200):
                stream.write(bytes(1_000_000))


def _keras_claiming(path: Path) -> None:
    inside = io.BytesIO()
    _claiming(inside, 100_000)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {}}))
        archive.writestr("model.weights.h5", inside.getvalue())


def _described(path: Path, layer: dict[str, Any]) -> None:
    """A model file with one layer of this description, as Keras would write it."""
    shape = {"batch_shape": [None, 16, 16, 3], "dtype": "float32", "name": "image"}
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": shape, "registered_name": None}
    config = {"name": "bad", "layers": [first, layer]}
    model = {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(model)
            file.create_group("model_weights")
        return
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}))
        archive.writestr("model.weights.h5", weights.getvalue())


def _layer(module: str, name: str, /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {"name": "bad", **config}, "registered_name": None}


_CODE = {"code": "4wEAAAA=", "defaults": None, "closure": None}
_LAMBDA = _layer("keras.layers", "Lambda", function={"class_name": "__lambda__", "config": _CODE})
_SYSTEM = _layer("os", "system", command="touch ran")
_REACH = _layer("keras.layers", "Activation", activation={"module": "os", "class_name": "function", "config": "system"})
_UNLOCK = _layer(
    "keras.layers",
    "Activation",
    activation={"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
)
_GRAPH = _layer("keras.layers", "TFSMLayer", filepath="saved", call_endpoint="serve")
_TORCH = _layer("keras.layers", "TorchModuleWrapper", module="gASVGgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjANscyCUhZRSlC4=")

MODELS_REFUSED: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a Lambda": ("bad.keras", lambda path: _described(path, _LAMBDA), "trust: true"),
    "a Lambda in HDF5": ("bad.h5", lambda path: _described(path, _LAMBDA), "trust: true"),
    "a function of the system's": ("bad.keras", lambda path: _described(path, _REACH), "trust: true"),
    "a class of the system's": ("bad.keras", lambda path: _described(path, _SYSTEM), "trust: true"),
    "Keras' own key to unsafe files": ("bad.keras", lambda path: _described(path, _UNLOCK), "trust: true"),
    "a graph beside the file": ("bad.keras", lambda path: _described(path, _GRAPH), "trust: true"),
    "a pickle in a layer": ("bad.keras", lambda path: _described(path, _TORCH), "trust: true"),
    "a zip that unpacks a thousandfold": ("bad.keras", _zipped_bomb, "would unpack"),
    "a model that claims terabytes": ("bad.keras", _keras_claiming, "would unpack"),
}
"""By what is wrong with a file that the config names as its model: its name, what writes it, and what must be said."""
WEIGHTS_REFUSED: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a call of the system": (
        "bad.pkl",
        lambda path: _pickled(path, _Runs(os.system, "touch ran")),
        "only NumPy arrays",
    ),
    "a call of eval": ("bad.pkl", lambda path: _pickled(path, {"conv1": [_Runs(eval, "1")]}), "only NumPy arrays"),
    "a pickle that opens a file": (
        "bad.pkl",
        lambda path: _pickled(path, _Runs(open, "ran", "w")),
        "only NumPy arrays",
    ),
    "a pickle of terabytes": (
        "bad.pkl",
        lambda path: path.write_bytes(
            b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(K\x01\x8a\x06"
            + b"\x00" * 5
            + b"\x10"
            + b"tU\x01b\x87R."
        ),
        "can't be read",
    ),
    "a pickle of nothing": ("bad.pkl", lambda path: path.write_bytes(b"\x80\x02]" + b"a" * 9), "can't be read"),
    "HDF5 that claims terabytes": ("bad.h5", lambda path: _claiming(path, 1_000_000), "would unpack"),
    "HDF5 that claims 16 GB": ("bad.h5", lambda path: _claiming(path, 4_000), "would unpack"),
    "HDF5 in a zip that claims terabytes": ("bad.keras", _keras_claiming, "would unpack"),
    "a zip that unpacks a thousandfold": ("bad.keras", _zipped_bomb, "would unpack"),
    "a link to another file": ("bad.h5", lambda path: _elsewhere(path, _linked), "another file"),
    "weights in another file": ("bad.h5", lambda path: _elsewhere(path, _external), "another file"),
    "weights made of another file's": ("bad.h5", lambda path: _elsewhere(path, _virtual), "another file"),
}
"""The same of files that the config names as weights of SqueezeNet."""


def refuse(folder: Path, as_model: bool, name: str, write: Callable[[Path], None], words: str) -> None:
    """Have the real command refuse a file.

    Raises:
        AssertionError: it ran, took too much memory, or said something else.
    """
    write(folder / name)
    network = f"{{model: ./{name}, preprocess: {{}}}}" if as_model else f"{{model: squeezenet1.1, weights: {name}}}"
    (folder / "config.yaml").write_text(
        "site: {title: Models}\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n  - name: one\n"
        f"    network: {network}\n    unit: {{layer: conv1, index: 0}}\n"
    )
    done = run(folder, "config.yaml", "-q")
    assert done.returncode in (1, 2), done.stderr[-500:]
    assert words in done.stderr, done.stderr[-500:]
    assert "Traceback" not in done.stderr and "unexpected error" not in done.stderr, done.stderr[-500:]
    assert not (folder / "ran").exists(), "code of the file ran"
    assert not (folder / "site").exists()
    # Of the largest child so far.
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert used < MOST_KILOBYTES, f"{used:,} kB"


def campaign() -> Result:
    """Every file by the real command."""
    tally = Tally()
    for as_model, files in ((True, MODELS_REFUSED), (False, WEIGHTS_REFUSED)):
        for what, (name, write, words) in files.items():
            with tally.case_in_folder(f"{what} ({name})") as folder:
                refuse(folder, as_model, name, write, words)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return tally.result(
        f"none of their code ran, and each run said what the file brings and how to allow or mend it; none took over "
        f"{most / 1e6:.1f} GB"
    )


MODELS = Campaign(
    "No code of a model's or weights' file runs unless the config says `trust: true`, and none takes the machine's "
    "memory or reads another file.",
    "Lambdas, functions and classes of other modules, Keras layers that load files, pickles that call, zips and HDF5 "
    "that claim gigabytes and terabytes, HDF5 that leads to other files; each by the real command",
    campaign,
)
