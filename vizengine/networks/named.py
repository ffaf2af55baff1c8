"""What can be wrong with a config's network section, found without opening any model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vizengine.config.network import NetworkSection
from vizengine.config.places import NotAdmitted, place
from vizengine.networks import zoo
from vizengine.networks.applications import APPLICATIONS
from vizengine.networks.named_files import model_file, weights_path
from vizengine.networks.user_code import is_reference

WEIGHTS_WORDS = ("embedded", "imagenet", "random")
"""What `weights` may say that isn't a path."""
Problem = tuple[tuple[str | int, ...], str]


def network_problems(section: NetworkSection, folder: Path, confined: bool = False) -> Iterator[Problem]:
    """Problems of a network section, each with its path inside it.

    Args:
        section: one whose form is right.
        folder: the config's folder.
        confined: whether the config may name nothing outside its folder, nor code.
    """
    model, weights = section.model, section.weights
    built_in, application = model in zoo.MODEL_NAMES, model in APPLICATIONS
    own = not (built_in or application)
    if built_in:
        yield from _built_in(section)
    if not built_in and weights == "embedded":
        yield (
            ("weights",),
            f"{model} has no embedded weights; expected `random`, a file, or nothing for its own",
        )
    if weights == "imagenet" and own:
        yield ("weights",), f"Keras publishes no weights of {model}; expected `random`, a file, or nothing"
    if own and section.preprocess is None:
        yield (
            ("preprocess",),
            "is missing; expected how an image becomes the model's input, for example `{scale: 255}` where the model "
            "takes pixels from 0 to 255, or `{scale: 2, mean: [1]}` where it takes -1 to 1",
        )
    if not own:
        named = {"preprocess": section.preprocess, "input": section.input, "input_size": section.input_size}
        for setting, value in named.items():
            if value is not None:
                yield (setting,), f"{model} has its own; leave it out, or name a model of your own"
    function = section.preprocess.function if section.preprocess else None
    if function is not None and not is_reference(function):
        yield ("preprocess", "function"), f"expected `module:function`; received {function}"
    code = [each for each in (model, function) if each is not None and is_reference(each)]
    if code and not section.trust:
        yield (
            ("trust",),
            f"is needed, since {' and '.join(code)} {'is' if len(code) == 1 else 'are'} code; expected `trust: true` "
            "if you trust it",
        )
    if confined and section.trust:
        yield ("trust",), "received `true`, and --confined runs no code of a config's; expected no such setting"
    yield from _misplaced(section, folder, own and not is_reference(model), confined)


def _misplaced(section: NetworkSection, folder: Path, own_file: bool, confined: bool) -> Iterator[Problem]:
    """Files that lie where a config may not name them, and labels that lie nowhere."""
    try:
        if section.labels is not None and not place(folder, section.labels).is_file():
            yield ("labels",), f"there is no file {section.labels}; expected a text file with one class a line"
    except NotAdmitted as error:
        yield ("labels",), str(error)
    try:
        if own_file:
            model_file(section.model, folder)
    except NotAdmitted as error:
        yield ("model",), str(error)
    weights = None if section.weights in WEIGHTS_WORDS else section.weights
    for setting, named in (("weights", weights), ("weights_folder", section.weights_folder)):
        try:
            if named is not None:
                weights_path(named, folder, confined)
        except NotAdmitted as error:
            yield (setting,), str(error)


def _built_in(section: NetworkSection) -> Iterator[Problem]:
    entry = zoo.entry(section.model)
    title = entry.architecture.title
    if section.weights == "embedded" and entry.embedded is None:
        yield ("weights",), f"{title} has no embedded weights; expected `imagenet` or the path of a file"
    if section.weights == "imagenet" and entry.full is None:
        yield ("weights",), f"Keras publishes no weights of {title}; expected `embedded` or the path of a file"
    if section.weights == "random":
        yield (
            ("weights",),
            f"{title} has no random weights; expected its own, the path of a file, or another network of "
            "keras.applications, as `mobilenet`",
        )
