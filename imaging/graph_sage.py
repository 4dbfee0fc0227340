"""GraphSAGE with mean aggregation over the whole graph (Hamilton, Ying and Leskovec 2017), on tf_keras.

Knows arrays only: what the nodes are is the caller's business. Weights come out as plain arrays, so that
``analyzers.sbom_graph.forecast.sage`` runs them without TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import scipy.sparse

Floats = npt.NDArray[np.floating[Any]]
Operators = Sequence["scipy.sparse.csr_matrix"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network is trained.

    Attributes
    ----------
    hidden
        Width of each layer.
    epochs
        Passes over the whole graph, each one step of Adam.
    decay
        Weight of the squares of the kernels in the loss.
    positive_weight
        Of a positive node in the loss beside a negative one.
    """

    hidden: tuple[int, ...] = (16, 16)
    epochs: int = 300
    rate: float = 0.01
    dropout: float = 0.5
    decay: float = 1e-3
    positive_weight: float = 1.0


def train(
    operators: Operators, inputs: Floats, labels: Floats, counted: Floats, settings: Settings, seed: int
) -> list[Floats]:
    """Fit a network to the labels of some nodes.

    Parameters
    ----------
    operators
        Matrices of shape (n, n) that take the mean over each kind of neighbours.
    inputs
        Standardised features, shape (n, features).
    labels, counted
        0 or 1, shape (n,); nodes whose `counted` is 0 lend their features to their neighbours, not their labels.

    Returns
    -------
    list of numpy.ndarray
        Of each layer the kernel of the node itself, one of each operator, and the bias; then the output's kernel and
        bias.
    """
    from imaging.keras import keras, tensorflow

    keras.utils.set_random_seed(seed)
    model = _network(operators, inputs.shape[1], settings)
    loss_of = keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
    weights = tensorflow.constant(counted * np.where(labels > 0, settings.positive_weight, 1.0), tensorflow.float32)
    truth = tensorflow.constant(labels[:, None], tensorflow.float32)
    nodes = tensorflow.constant(inputs, tensorflow.float32)
    adam = keras.optimizers.Adam(settings.rate)

    @tensorflow.function  # type: ignore[untyped-decorator]
    def step() -> Any:
        with tensorflow.GradientTape() as tape:
            each = loss_of(truth, model(nodes, training=True))
            loss = tensorflow.reduce_sum(each * weights) / tensorflow.reduce_sum(weights)
            loss += tensorflow.add_n(model.losses)
        adam.apply_gradients(
            zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return loss

    for _ in range(settings.epochs):
        step()
    return [np.asarray(each, dtype=np.float32) for each in model.get_weights()]


def predict(operators: Operators, inputs: Floats, weights: Sequence[Floats]) -> Floats:
    """Log-odds of each node, shape (n,), by a network rebuilt from its weights."""
    settings = Settings(hidden=tuple(len(each) for each in weights[:-2] if each.ndim == 1))
    model = _network(operators, inputs.shape[1], settings)
    model.set_weights(list(weights))
    found: Floats = np.asarray(model(inputs.astype(np.float32), training=False))[:, 0]
    return found


def _network(operators: Operators, features: int, settings: Settings) -> Any:
    from imaging.keras import keras, tensorflow

    sparse = [_sparse(each, tensorflow) for each in operators]
    regular = keras.regularizers.L2(settings.decay)

    class Aggregate(keras.layers.Layer):  # type: ignore[misc]
        """``relu(h W + sum of (mean of neighbours) W_k + b)``."""

        def __init__(self, width: int) -> None:
            super().__init__()
            self.width = width

        def build(self, shape: Any) -> None:
            self.kernels = [
                self.add_weight(f"kernel_{number}", (shape[-1], self.width), regularizer=regular)
                for number in range(1 + len(sparse))
            ]
            self.offset = self.add_weight("bias", (self.width,), initializer="zeros")

        def call(self, nodes: Any) -> Any:
            found = tensorflow.matmul(nodes, self.kernels[0]) + self.offset
            for operator, kernel in zip(sparse, self.kernels[1:], strict=True):
                # the kernel first: it is the narrower product
                found += tensorflow.sparse.sparse_dense_matmul(operator, tensorflow.matmul(nodes, kernel))
            return tensorflow.nn.relu(found)

    nodes = keras.Input((features,))
    hidden = nodes
    for width in settings.hidden:
        hidden = keras.layers.Dropout(settings.dropout)(Aggregate(width)(hidden))
    return keras.Model(nodes, keras.layers.Dense(1, kernel_regularizer=regular)(hidden))


def _sparse(matrix: scipy.sparse.csr_matrix, tensorflow: Any) -> Any:
    entries = matrix.tocoo()
    places = np.stack([entries.row, entries.col], axis=1).astype(np.int64)
    return tensorflow.sparse.reorder(tensorflow.SparseTensor(places, entries.data.astype(np.float32), entries.shape))
