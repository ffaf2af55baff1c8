"""What the reader of a page has before its first line: photos, a network, a config from the tutorial."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.documentation.blocks import blocks_of
from tests.places import REPOSITORY

PARTS = (
    *("vizengine", "templates", "hypotheses", "examples", "tests", "docs", "benchmarks", "site", ".github"),
    *("generate.py", "config.yaml", "config.schema.json", "pyproject.toml", "requirements.txt", "requirements-dev.txt"),
    *("requirements-docs.txt", "requirements.lock", "MANIFEST.in", "tools", ".pre-commit-config.yaml"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile", ".gitignore"),
)


def clone(folder: Path) -> None:
    """A folder with what a clone of the repository holds."""
    folder.mkdir(parents=True)
    for name in PARTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, folder / name)


def prepare(page: str, folder: Path) -> None:
    """Put into a clone what the reader of a page is said to have."""
    if page in _PREPARED:
        _PREPARED[page](folder)


def tutorial_configs() -> tuple[str, ...]:
    """The states of the tutorial's config, in the order of its steps."""
    return tuple(block.text for block in blocks_of("docs/tutorial.md") if block.language == "yaml")


def _photos(folder: Path) -> None:
    from PIL import Image
    from skimage import data

    for name in ("astronaut", "chelsea", "coffee"):
        path = folder / "photos" / "of-mine" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(getattr(data, name)())
        image.thumbnail((256, 256))
        image.save(path, quality=95)


def _network_from_pytorch(folder: Path) -> None:
    """An ONNX file of two conv layers, the later of them named `late`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(0)
    shapes = {"first": (8, 3, 3, 3), "second": (12, 8, 3, 3)}
    arrays = [numpy_helper.from_array(np.float32(random.normal(0, 0.3, each)), name) for name, each in shapes.items()]
    how = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1]}
    nodes = [
        helper.make_node("Conv", ["image", "first"], ["early"], name="early", **how),
        helper.make_node("Relu", ["early"], ["active"], name="active"),
        helper.make_node("Conv", ["active", "second"], ["late"], name="late", **how),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])
    late = helper.make_tensor_value_info("late", TensorProto.FLOAT, [1, 12, 32, 32])
    graph = helper.make_graph(nodes, "main", [image], [late], arrays)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "network.onnx"
    )


def _tutorial_config(name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(tutorial_configs()[-1], "utf-8")

    return write


_PREPARED: dict[str, Callable[[Path], None]] = {
    "docs/api.md": _tutorial_config("config.yaml"),
    "docs/how-to/cite-and-embed.md": _tutorial_config("my-circuit.yaml"),
    "docs/how-to/own-photos.md": _photos,
    "docs/how-to/pytorch.md": _network_from_pytorch,
}
