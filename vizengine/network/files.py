"""Weights on this machine: the folders where they may lie, decompression bombs, and reading kernels from a file."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Container
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vizengine.config.paths import place
from vizengine.network.layers import LayerSpec

WEIGHTS_FOLDER_VARIABLE = "VIZENGINE_WEIGHTS"


def weights_path(named: str, folder: Path, confined: bool = False) -> Path:
    """The file that `weights`, or the folder that `weights_folder` names.

    Args:
        named: its path, relative to `folder`, the config's, or else to one of `weights_folders`.
        confined: whether the config may not name these folders itself.

    Raises:
        NotAdmitted: it lies in none of them.
    """
    if confined:
        return place(folder, named)
    more = f", or into the folder that the environment variable {WEIGHTS_FOLDER_VARIABLE} names"
    return place(folder, named, weights_folders(), more)


def weights_folders() -> tuple[Path, ...]:
    """The folders besides a config's own from which weights may come: that of the environment, and Keras' cache."""
    variable = os.environ.get(WEIGHTS_FOLDER_VARIABLE)
    return (Path(variable).expanduser(), keras_cache()) if variable else (keras_cache(),)


def keras_cache() -> Path:
    """The folder into which Keras downloads weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")).expanduser() / "models"


LARGEST_RATIO = 50
"""Most bytes that a file may unpack to, as a multiple of its own size; weights unpack to about once."""
ALWAYS_ADMITTED = 64_000_000
"""Bytes to which any file may unpack."""


class DecompressionBomb(ValueError):
    """A file that would unpack to far more than its own size, or that leads to another file."""


def refuse_bomb(path: Path) -> None:
    """Compare the size to which a zip (`.keras`) or HDF5 file would unpack with its own, before any of it is read.

    Raises:
        DecompressionBomb: with both sizes, or with the link that leads to another file.
        OSError: it can't be read.
    """
    packed = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _refuse_size(sum(member.file_size for member in archive.infolist()), packed)
            for name in archive.namelist():
                if name.endswith(".h5"):
                    content = archive.read(name)
                    _refuse_datasets(io.BytesIO(content), len(content))
    else:
        import h5py

        if h5py.is_hdf5(path):
            _refuse_datasets(path, packed)


def _refuse_datasets(source: Path | IO[bytes], packed: int) -> None:
    import h5py

    with h5py.File(source, "r") as file:
        unpacked = 0

        def visit(name: str, link: Any) -> str | None:
            """What is wrong with an entry, which ends the visit; h5py wants no exception here."""
            nonlocal unpacked
            if isinstance(link, h5py.ExternalLink):
                return f"{name} is a link to another file, {link.filename}"
            entry = file.get(name)
            if isinstance(entry, h5py.Dataset):
                if entry.external or entry.is_virtual:
                    return f"{name} lies in another file"
                unpacked += entry.size * entry.dtype.itemsize if entry.size else 0
            return None

        if problem := file.visititems_links(visit):
            raise DecompressionBomb(problem)
        _refuse_size(unpacked, packed)


def _refuse_size(unpacked: int, packed: int) -> None:
    if unpacked > max(ALWAYS_ADMITTED, LARGEST_RATIO * packed):
        raise DecompressionBomb(
            f"it would unpack from {packed:,} bytes to {unpacked:,}, which weights don't; if they are all "
            "the same, write them without compression"
        )


SUFFIXES = (".h5", ".keras", ".pkl")
KernelAndBias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""((height, width, in, out) or (in, out) kernel, (out,) bias)."""
LayerWeights = dict[str, KernelAndBias]


class UnreadableWeights(ValueError):
    """A file isn't a weights file, or is damaged."""


def with_weights(layers: tuple[LayerSpec, ...]) -> list[LayerSpec]:
    """The layers that have weights."""
    return [layer for layer in layers if layer.kind in ("conv", "dense")]


def read_layers(path: Path, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    """Kernel and bias of every layer in `layers` that is in the file, whose name ends in one of `SUFFIXES`.

    Raises:
        UnreadableWeights: the file isn't what its ending says, or a layer hasn't just one kernel and one bias.
    """
    try:
        refuse_bomb(path)
        return _read(path, layers)
    except Exception as error:
        # What a damaged pickle or HDF5 file raises isn't bounded: memory, overflow, recursion, indices.
        raise UnreadableWeights(" ".join(str(error).split()) or type(error).__name__) from error


def _read(path: Path, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    wanted = {name: layer.name for layer in with_weights(layers) for name in (layer.name, layer.keras_name)}
    if path.suffix == ".pkl":
        with path.open("rb") as stream:
            pairs = _NumpyUnpickler(stream, encoding="latin1").load().items()
    elif path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            pairs = _hdf5_layers(io.BytesIO(archive.read("model.weights.h5")), wanted)
    else:
        pairs = _hdf5_layers(path, wanted)
    return {wanted[name]: _kernel_and_bias(arrays) for name, arrays in pairs if name in wanted}


def _kernel_and_bias(arrays: list[NDArray[Any]]) -> KernelAndBias:
    kernels = [array for array in arrays if array.ndim > 1]
    biases = [array for array in arrays if array.ndim == 1]
    if len(kernels) != 1 or len(biases) != 1:
        raise ValueError(f"expected one kernel and one bias, got shapes {[array.shape for array in arrays]}")
    # Of VGG's full file a copy more would take half a gigabyte.
    return kernels[0].astype(np.float32, copy=False), biases[0].astype(np.float32, copy=False)


def _hdf5_layers(source: Path | IO[bytes], wanted: Container[str]) -> list[tuple[str, list[NDArray[Any]]]]:
    """Wanted layers of an HDF5 file, in Keras' old layout (`weight_names`) or in that of Keras 3 (`vars`)."""
    import h5py

    layers: list[tuple[str, list[NDArray[Any]]]] = []

    def visit(name: str, group: object) -> None:
        if not isinstance(group, h5py.Group):
            return
        if "weight_names" in group.attrs:
            layer = name.removeprefix("model_weights/")
            if layer in wanted:
                names = [
                    array.decode() if isinstance(array, bytes) else str(array) for array in group.attrs["weight_names"]
                ]
                layers.append((layer, [np.asarray(group[array]) for array in names]))
        elif "name" in group.attrs and str(group.attrs["name"]) in wanted and len(group):
            layers.append((str(group.attrs["name"]), [np.asarray(group[array]) for array in sorted(group)]))

    with h5py.File(source, "r") as file:
        file.visititems(visit)
    return layers


class _NumpyUnpickler(pickle.Unpickler):
    """Admits the reconstruction of NumPy arrays and nothing else, so that a file can't run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (module, name) == ("numpy", "dtype"):
            return np.dtype
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            from numpy._core import multiarray

            return multiarray._reconstruct
        raise pickle.UnpicklingError(f"expected only NumPy arrays, got {module}.{name}")
