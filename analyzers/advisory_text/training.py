"""How the weights of the tagger come about: texts aligned with the names their records state, then a perceptron."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from analyzers.advisory_text.tagger import TAGS, Tag, Weights, best_tags, features, tokens
from analyzers.matching.names.normalise import squash

_LONGEST_NAME = 10
_SHORTEST_NAME = 3
_SCALE = 10
_OTHER, _VENDOR, _PRODUCT = (TAGS.index(tag) for tag in (Tag.OTHER, Tag.VENDOR, Tag.PRODUCT))


@dataclass(frozen=True, slots=True)
class Example:
    """The words of a text, and what each is part of, as indices into `TAGS`."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


def example(text: str, vendors: Iterable[str], products: Iterable[str]) -> Example | None:
    """Mark every place where a vendor or product is named; None where no product is, which teaches nothing."""
    words = tuple(token.text for token in tokens(text))
    squashed = [squash(word) for word in words]
    tags = [_OTHER] * len(words)
    for names, tag in ((products, _PRODUCT), (vendors, _VENDOR)):
        for name in sorted(names, key=lambda name: (-len(name), name)):
            for start, end in _places(squashed, squash(name)):
                if not any(tags[start:end]):
                    tags[start:end] = [tag] * (end - start)
    return Example(words, tuple(tags)) if _PRODUCT in tags else None


def _places(words: Sequence[str], name: str) -> Iterable[tuple[int, int]]:
    """Where neighbouring words, written as one, are the name."""
    if len(name) < _SHORTEST_NAME:
        return
    for start, first in enumerate(words):
        if not first or not name.startswith(first):
            continue
        joined = ""
        for end in range(start, min(len(words), start + _LONGEST_NAME)):
            joined += words[end]
            if joined == name:
                yield start, end + 1
                break
            if not name.startswith(joined):
                break


def train(
    examples: Sequence[Example],
    epochs: int,
    smallest: float,
    seed: int,
    told: Callable[[str], None] = lambda text: None,
) -> Weights:
    """Averaged structured perceptron (Collins, EMNLP 2002).

    Parameters
    ----------
    smallest
        Features of which no weight reaches this, in mistakes, are left out.
    told
        Takes a line of progress after each epoch.
    """
    order = list(examples)
    shuffle = random.Random(seed).shuffle  # noqa: S311 - nothing secret
    count = len(TAGS)
    weights: dict[str, tuple[int, ...]] = {}
    before = [[0] * count for _ in range(count)]
    # Sums of changes times the step they were made at: what averaging over all steps takes off (Daume, 2006).
    late: dict[str, list[int]] = {}
    late_before = [[0] * count for _ in range(count)]
    step = 0
    for epoch in range(epochs):
        shuffle(order)
        wrong = total = 0
        for each in order:
            step += 1
            total += len(each.words)
            guessed = best_tags(each.words, Weights(weights, before))
            if tuple(guessed) == each.tags:
                continue
            for place, found in enumerate(features(each.words)):
                guess, right = guessed[place], each.tags[place]
                if guess != right:
                    wrong += 1
                    for name in found:
                        _change(weights, late, name, right, guess, step)
                if place:
                    for table, change in ((before, 1), (late_before, step)):
                        table[each.tags[place - 1]][right] += change
                        table[guessed[place - 1]][guess] -= change
        told(f"epoch {epoch + 1} of {epochs}: {wrong / max(1, total):.4f} of {total:,} words wrong")
    averaged = {
        name: tuple(weight - sums / max(1, step) for weight, sums in zip(row, late[name], strict=True))
        for name, row in weights.items()
    }
    return Weights(
        {
            name: tuple(round(_SCALE * weight) for weight in row)
            for name, row in averaged.items()
            if max(map(abs, row)) >= smallest and "\t" not in name
        },
        tuple(
            tuple(round(_SCALE * (weight - sums / max(1, step))) for weight, sums in zip(row, rest, strict=True))
            for row, rest in zip(before, late_before, strict=True)
        ),
    )


def _change(
    weights: dict[str, tuple[int, ...]], late: dict[str, list[int]], name: str, right: int, guess: int, step: int
) -> None:
    row = list(weights.get(name, (0,) * len(TAGS)))
    sums = late.setdefault(name, [0] * len(TAGS))
    row[right] += 1
    row[guess] -= 1
    sums[right] += step
    sums[guess] -= step
    weights[name] = tuple(row)
