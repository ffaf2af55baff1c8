"""The way from ONNX that docs/networks.md describes: what comes out is what ONNX's own evaluator computes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.places import REPOSITORY
from tools.audit import audit
from vizengine.cache import Cache
from vizengine.config.network import NetworkSection
from vizengine.network.source import LiveSource

SIDE = 32


class _Exported:
    """Nodes and arrays as `torch.onnx.export` writes those of ResNet, SqueezeNet and VGG."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def add(self, kind: str, *inputs: str, **settings: object) -> str:
        output = f"/{kind}_{len(self.nodes)}_output_0"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **settings))
        return output

    def array(self, *shape: int, around: float = 0.0) -> str:
        values = around + self.random.standard_normal(shape) * (0.1 if len(shape) == 1 else 0.3)
        self.arrays.append(numpy_helper.from_array(np.float32(values), f"array{len(self.arrays)}"))
        return self.arrays[-1].name

    def conv(self, feed: str, channels: int, units: int, side: int, step: int = 1) -> str:
        kernel, bias = self.array(units, channels, side, side), self.array(units)
        pads, strides = [side // 2] * 4, [step, step]
        return self.add("Conv", feed, kernel, bias, kernel_shape=[side, side], pads=pads, strides=strides)

    def norm(self, feed: str, channels: int) -> str:
        variance = self.array(channels, around=2.0)
        given = self.array(channels, around=1.0), self.array(channels), self.array(channels), variance
        return self.add("BatchNormalization", feed, *given)

    def pool(self, feed: str) -> str:
        return self.add("MaxPool", feed, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    def save(self, output: str, path: Path) -> onnx.ModelProto:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
        classes = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        main = helper.make_graph(self.nodes, "main", [image], [classes], self.arrays)
        model = helper.make_model(main, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.save(model, path)
        return model


def _network(path: Path) -> onnx.ModelProto:
    """A stem, a residual block with a shortcut of its own, a fire module, and a classifier."""
    graph = _Exported()
    stem = graph.pool(graph.add("Relu", graph.norm(graph.conv("image", 3, 16, 7, 2), 16)))
    inside = graph.add("Relu", graph.norm(graph.conv(stem, 16, 16, 3, 2), 16))
    straight = graph.norm(graph.conv(inside, 16, 16, 3), 16)
    total = graph.add("Relu", graph.add("Add", straight, graph.norm(graph.conv(stem, 16, 16, 1, 2), 16)))
    squeezed = graph.add("Relu", graph.conv(total, 16, 8, 1))
    wide = [graph.add("Relu", graph.conv(squeezed, 8, 16, side)) for side in (1, 3)]
    last = graph.add("Relu", graph.conv(graph.add("Concat", *wide, axis=1), 32, 16, 3))
    flat = graph.add("Flatten", graph.add("GlobalAveragePool", last), axis=1)
    return graph.save(graph.add("Gemm", flat, graph.array(5, 16), graph.array(5), transB=1), path)


def test_a_network_from_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = _network(tmp_path / "network.onnx")
    shutil.copy(REPOSITORY / "examples" / "onnx_network.py", tmp_path)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    section = NetworkSection.model_validate(
        {
            "model": "onnx_network:model",
            "trust": True,
            "preprocess": {"scale": 1, "mean": mean, "deviation": deviation},
        }
    )
    network = LiveSource(section, tmp_path, Cache(tmp_path / "cache")).network
    architecture = network.architecture
    images = np.random.default_rng(1).uniform(0, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    given = np.float32((images - mean) / np.float64(deviation)).transpose(0, 3, 1, 2)
    expected = ReferenceEvaluator(original).run(None, {"image": given})[0]
    computed = network.model_upto(architecture.layers[-1].name)(network.prepare(images), training=False)
    np.testing.assert_allclose(np.asarray(computed), expected, rtol=1e-4, atol=1e-4)
    names = [spec.name for spec in architecture.conv_layers]
    assert len(names) == 8
    for name in names[1:]:
        assert audit(network, name, 1).passed, name
    # Behind the sum, and behind the concatenation.
    assert "Add" in architecture.source_channels(names[4])[0].layer
    assert len({source.layer for source in architecture.source_channels(names[7])}) == 2
