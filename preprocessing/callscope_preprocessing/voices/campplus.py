"""CAM++, a network that turns a second or two of speech into a vector for its voice.

Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware Masking", 2023,
arXiv 2303.00332; weights as 3D-Speaker publishes them (Apache-2.0).
"""

from __future__ import annotations

import numpy as np

from callscope_preprocessing.voices.graph import Graph
from callscope_preprocessing.voices.weights import Weights

BANDS = 80
LONGEST_FRAMES = 200
"""The paper pools context over stretches of this length; an input within one stretch has one context."""
BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each dense block."""


class _Net:
    """The layers this network is made of, each by the name of its weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.graph = Graph()

    def conv(
        self, x: str, name: str, pads: tuple[int, ...] = (), strides: tuple[int, ...] = (), dilation: int = 1
    ) -> str:
        tensors = [self.weights[f"{name}.weight"]]
        if f"{name}.bias" in self.weights:
            tensors.append(self.weights[f"{name}.bias"])
        axes = tensors[0].ndim - 2
        return self.graph.add(
            "Conv",
            x,
            *map(self.graph.constant, tensors),
            pads=pads or (0,) * (2 * axes),
            strides=strides or (1,) * axes,
            dilations=(dilation,) * axes,
        )

    def norm(self, x: str, name: str) -> str:
        mean, variance = self.weights[f"{name}.running_mean"], self.weights[f"{name}.running_var"]
        scale = self.weights.get(f"{name}.weight", np.ones_like(mean))
        bias = self.weights.get(f"{name}.bias", np.zeros_like(mean))
        return self.graph.add("BatchNormalization", x, *map(self.graph.constant, (scale, bias, mean, variance)))

    def relu(self, x: str) -> str:
        return self.graph.add("Relu", x)

    def residual(self, x: str, name: str, stride: int) -> str:
        around = (1, 1, 1, 1)
        y = self.conv(x, f"{name}.conv1", around, (stride, 1))
        y = self.conv(self.relu(self.norm(y, f"{name}.bn1")), f"{name}.conv2", around)
        if stride > 1:
            x = self.norm(self.conv(x, f"{name}.shortcut.0", strides=(stride, 1)), f"{name}.shortcut.1")
        return self.relu(self.graph.add("Add", self.norm(y, f"{name}.bn2"), x))

    def masked(self, x: str, name: str, dilation: int) -> str:
        y = self.conv(x, f"{name}.linear_local", (dilation, dilation), dilation=dilation)
        mean = self.graph.add("ReduceMean", x, axes=[2])
        context = self.graph.add("Add", mean, mean)  # of the whole, and of the stretch, which is the whole
        mask = self.conv(self.relu(self.conv(context, f"{name}.linear1")), f"{name}.linear2")
        return self.graph.add("Mul", y, self.graph.add("Sigmoid", mask))

    def dense(self, x: str, name: str, dilation: int) -> str:
        y = self.conv(self.relu(self.norm(x, f"{name}.nonlinear1.batchnorm")), f"{name}.linear1")
        y = self.relu(self.norm(y, f"{name}.nonlinear2.batchnorm"))
        return self.graph.add("Concat", x, self.masked(y, f"{name}.cam_layer", dilation), axis=1)

    def statistics(self, x: str) -> str:
        graph, last = self.graph, self.graph.constant([2], np.int64)
        mean = graph.add("ReduceMean", x, axes=[2])
        apart = graph.add("Sub", x, mean)
        frames = graph.add("Cast", graph.add("Gather", graph.add("Shape", x), last), to=1)
        squares = graph.add("ReduceSum", graph.add("Mul", apart, apart), last)
        variance = graph.add("Div", squares, graph.add("Sub", frames, graph.constant([1.0])))
        return graph.add("Concat", mean, graph.add("Sqrt", variance), axis=1)


def campplus(weights: Weights) -> bytes:
    """The network as an ONNX model.

    Args:
        weights: a published state dict.

    Returns:
        A model of features, shape (batch, frames, 80), at least 8 and at most 200 frames (2 s), to vectors, shape
        (batch, 192), of any length.

    Raises:
        KeyError: weights of another network.
    """
    net = _Net(weights)
    graph, around = net.graph, (1, 1, 1, 1)
    x = graph.add("Unsqueeze", graph.add("Transpose", "features", perm=[0, 2, 1]), graph.constant([1], np.int64))
    x = net.relu(net.norm(net.conv(x, "head.conv1", around), "head.bn1"))
    for layer in ("head.layer1", "head.layer2"):
        x = net.residual(net.residual(x, f"{layer}.0", 2), f"{layer}.1", 1)
    x = net.relu(net.norm(net.conv(x, "head.conv2", around, (2, 1)), "head.bn2"))
    channels = weights["xvector.tdnn.linear.weight"].shape[1]
    x = graph.add("Reshape", x, graph.constant([0, channels, -1], np.int64))
    x = net.relu(net.norm(net.conv(x, "xvector.tdnn.linear", (2, 2), (2,)), "xvector.tdnn.nonlinear.batchnorm"))
    for block, (layers, dilation) in enumerate(BLOCKS, start=1):
        for layer_number in range(1, layers + 1):
            x = net.dense(x, f"xvector.block{block}.tdnnd{layer_number}", dilation)
        transit = f"xvector.transit{block}"
        x = net.conv(net.relu(net.norm(x, f"{transit}.nonlinear.batchnorm")), f"{transit}.linear")
    x = net.statistics(net.relu(net.norm(x, "xvector.out_nonlinear.batchnorm")))
    x = net.norm(net.conv(x, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")
    vectors = graph.add("Squeeze", x, graph.constant([2], np.int64))
    return graph.finish("features", ["batch", "frames", BANDS], vectors)
