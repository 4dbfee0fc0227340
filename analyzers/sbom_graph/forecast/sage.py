"""GraphSAGE with mean aggregation (Hamilton, Ying and Leskovec 2017, algorithm 1), in plain numpy.

Dependencies and dependents are aggregated apart, since an edge means another thing from either end:
``h' = relu(h W + mean(h of dependencies) D + mean(h of dependents) U + b)``, twice, then one weighted sum.
Trained by ``imaging.graph_sage``, which computes the same with tf_keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.sbom_graph.forecast.graph import Floats, Graph


@dataclass(frozen=True)
class Sage:
    """A trained network.

    Attributes
    ----------
    layers
        Of each layer the weights of the component itself, of its dependencies and of its dependents, each of shape
        (inputs, outputs), and the bias of shape (outputs,).
    output, bias
        The weighted sum: shapes (outputs, 1) and (1,).
    """

    layers: tuple[tuple[Floats, Floats, Floats, Floats], ...]
    output: Floats
    bias: Floats

    @classmethod
    def of(cls, arrays: Sequence[Floats]) -> Sage:
        """From the arrays in their order: four a layer, then the output's two."""
        *inner, output, bias = arrays
        layers = tuple((inner[n], inner[n + 1], inner[n + 2], inner[n + 3]) for n in range(0, len(inner), 4))
        return cls(layers, output, bias)

    def arrays(self) -> list[Floats]:
        """The arrays in the order of `of`."""
        return [*(each for layer in self.layers for each in layer), self.output, self.bias]

    def scores(self, graph: Graph, inputs: Floats) -> Floats:
        """Log-odds of each component, shape (n,), from standardised features of shape (n, inputs)."""
        hidden = inputs.astype(np.float32)
        dependencies, dependents = graph.means
        for own, down, up, bias in self.layers:
            hidden = hidden @ own + (dependencies @ hidden) @ down + (dependents @ hidden) @ up + bias
            hidden = np.maximum(hidden, 0.0)
        found: Floats = (hidden @ self.output + self.bias)[:, 0]
        return found
