"""The Cox partial likelihood as a loss of tf_keras; ``imaging.survival.cox_loss`` is the same in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imaging.survival.cox import Ties


def cox_partial_likelihood(ties: Ties = "efron") -> Callable[[Any, Any], Any]:
    """Make the loss that ``model.compile`` takes.

    The risk sets are those of the batch, which therefore should hold many patients; patients are compared each with
    each, which takes memory of the batch's size squared.

    Parameters
    ----------
    ties
        How events at the same time share their risk set.

    Returns
    -------
    callable
        Of the truth, shape (batch, 2), a duration and an event flag (1 seen, 0 censored) in each row, and of the
        network's log-hazards, shape (batch, 1). It gives a scalar in nats: the negative partial log-likelihood divided
        by the number of events, so that batches with few events weigh as much as others; 0 without any event.

    Raises
    ------
    ValueError
        An unknown way with ties.

    References
    ----------
    Cox 1975, Breslow 1974 and Efron 1977, as in ``imaging.survival.cox_loss``. Katzman et al., DeepSurv, BMC Medical
    Research Methodology 18 (2018): the loss of a network.
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties are handled by 'efron' or 'breslow', not {ties!r}")
    from imaging.keras import tensorflow as tf

    def loss(truth: Any, log_hazards: Any) -> Any:
        scores = tf.reshape(log_hazards, [-1])
        truth = tf.cast(truth, scores.dtype)
        times, seen = truth[:, 0], truth[:, 1]
        at_risk = _log_sum(tf, scores, times[None, :] >= times[:, None])
        left = at_risk
        if ties == "efron":
            tied = (times[None, :] == times[:, None]) & (seen[None, :] > 0)
            number = tf.cast(tied, scores.dtype)
            # each event takes one place among those of its time: which does not matter, for the loss sums over all
            before = tf.reduce_sum(tf.linalg.band_part(number, -1, 0), axis=1) - tf.linalg.diag_part(number)
            removed = tf.math.divide_no_nan(before, tf.reduce_sum(number, axis=1)) * seen
            left += tf.math.log1p(-removed * tf.exp(_log_sum(tf, scores, tied) - at_risk))
        return tf.math.divide_no_nan(tf.reduce_sum(seen * (left - scores)), tf.reduce_sum(seen))

    return loss


def _log_sum(tf: Any, scores: Any, chosen: Any) -> Any:
    """Of every row the logarithm of the summed hazards of its chosen patients."""
    nothing = tf.constant(scores.dtype.min / 2, scores.dtype)
    return tf.reduce_logsumexp(tf.where(chosen, scores[None, :], nothing), axis=1)
