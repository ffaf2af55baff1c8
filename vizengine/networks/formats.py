"""Read layers by name from weights files: HDF5 as Keras wrote and writes it, `.keras`, and pickled NumPy arrays."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vizengine.networks.architecture import LayerSpec
from vizengine.networks.packed import refuse_swollen

SUFFIXES = (".h5", ".keras", ".pkl")
LayerWeights = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]


class UnreadableWeights(ValueError):
    """A file isn't a weights file, or is damaged."""


def with_weights(layers: tuple[LayerSpec, ...]) -> list[LayerSpec]:
    """The layers that have weights."""
    return [layer for layer in layers if layer.kind in ("conv", "dense")]


def read_layers(path: Path, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    """Kernel and bias of every layer in `layers` that is in the file.

    Args:
        path: a file that ends in one of `SUFFIXES`.
        layers: those without weights are passed over.

    Raises:
        UnreadableWeights: the file isn't what its ending says, or a layer hasn't just one kernel and one bias.
    """
    try:
        refuse_swollen(path)
        return _read(path, layers)
    except Exception as error:
        # What a damaged pickle or HDF5 file raises isn't bounded: memory, overflow, recursion, indices.
        raise UnreadableWeights(" ".join(str(error).split()) or type(error).__name__) from error


def _read(path: Path, layers: tuple[LayerSpec, ...]) -> LayerWeights:
    wanted = {name: layer.name for layer in with_weights(layers) for name in (layer.name, layer.keras_name)}
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
    # Of VGG's full file a copy more would take half a gigabyte.
    return kernels[0].astype(np.float32, copy=False), biases[0].astype(np.float32, copy=False)


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
                names = [
                    each.decode() if isinstance(each, bytes) else str(each) for each in group.attrs["weight_names"]
                ]
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

            return multiarray._reconstruct
        raise pickle.UnpicklingError(f"expected only NumPy arrays, got {module}.{name}")
