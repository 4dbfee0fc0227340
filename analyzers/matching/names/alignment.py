"""Two product names laid side by side: which words and model designations they share, and what each has alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzers.matching.names.normalise import misspelt, squash
from analyzers.matching.names.reading import ProductName, is_model, is_set, model_matches
from analyzers.matching.names.words import ACCESSORIES, BRANDS, DESCRIPTORS, ROLES, VARIANTS

_SHORTEST_NUMBER = 3
_SHORTEST_KEY = 5
_SHORTEST_CODE = 6
_LONGEST_FAMILY = 6
_LONGEST_ABBREVIATION = 5
_HUNDREDS = re.compile(r"([a-z]+)(\d+)00")


class Tie(StrEnum):
    """How a token of the device's name belongs to one of the stated name."""

    SAME = "same"
    MEMBER = "member of a stated series, range or pattern"
    TYPE_KEY = "type key that begins or ends with the stated model"
    FAMILY = "model of a family that is called by letters"
    HUNDREDS = "model of a family that is called by its round number"
    MISSPELT = "misspelt"
    ABBREVIATED = "abbreviated"


@dataclass(frozen=True, slots=True)
class Extra:
    """What only one of the two names has, by kind; the kinds are those of `words`.

    Attributes
    ----------
    words_before, words_after
        Telling words before the first and after the first token that both names have.
    suffixes
        Letters after a model designation in the same word: ``EDS-405A-MM-SC``.
    """

    models: int = 0
    words_before: int = 0
    words_after: int = 0
    suffixes: int = 0
    descriptors: int = 0
    roles: int = 0
    accessories: int = 0
    variants: int = 0

    @property
    def words(self) -> int:
        """Telling words, wherever they stand."""
        return self.words_before + self.words_after

    @property
    def telling(self) -> bool:
        """Whether any of it may make it another product."""
        return bool(self.models or self.words or self.roles or self.accessories or self.variants)


@dataclass(frozen=True, slots=True)
class Alignment:
    """A device's name against a stated one.

    Attributes
    ----------
    exact
        The same letters and digits, in the same order.
    codes, numbers, words, descriptors
        How many model designations with letters, bare numbers, telling words and kinds of device the names share.
    coined
        How many of the words are no brand of a whole line of products.
    ties
        How the shared tokens belong together.
    leads
        The first telling word of the device's name stands in the other.
    own, stated
        What only one of the two has.
    short_form
        The device is called by the abbreviation the source gives.
    part
        One name stands in what the other is for, with or on; not in the name itself.
    own_tail, stated_tail
        One name goes on with ``for``, ``with``, ``on``, and the other does not.
    asides_differ
        Both have a remark in parentheses, and the remarks have nothing in common.
    """

    exact: bool = False
    codes: int = 0
    numbers: int = 0
    words: int = 0
    coined: int = 0
    descriptors: int = 0
    ties: frozenset[Tie] = frozenset()
    leads: bool = False
    own: Extra = Extra()
    stated: Extra = Extra()
    short_form: bool = False
    part: bool = False
    own_tail: bool = False
    stated_tail: bool = False
    asides_differ: bool = False


Pair = tuple[str, str, Tie]


def align(own: ProductName, stated: ProductName) -> Alignment | None:
    """Lay two names side by side; None when they share nothing that tells anything."""
    if own.tail and stated.tail and not any(one in two or two in one for one in own.tail for two in stated.tail):
        return None  # for Windows, for Linux
    exact = bool(own.whole) and own.whole == stated.whole
    mine, theirs = _harmonise(own.tokens, stated.tokens), _harmonise(stated.tokens, own.tokens)
    pairs = list(_pairs(mine, theirs))
    called = squash(" ".join(mine))
    exact = exact or (bool(mine) and called == squash(" ".join(theirs)))
    exact = exact or (called in stated.short_forms and len(called) >= _SHORTEST_NUMBER)
    numbered = _numbered(own, stated, mine, theirs)
    part = not pairs and (_within(mine, stated.tail) or _within(theirs, own.tail))
    short_form = bool(set(mine) & stated.short_forms)
    # "Clinical Information Center" is made of descriptors only, and they are all there is to tell it by
    descriptive = set(theirs) <= DESCRIPTORS and len(theirs) > 1 and {two for _, two, _ in pairs}.issuperset(theirs)
    telling = [pair for pair in pairs if descriptive or pair[0] not in DESCRIPTORS or pair[1] not in DESCRIPTORS]
    loose = [word for word in (own.aside & set(theirs)) | (stated.aside & set(mine)) if _is_telling(word)]
    if not (telling or numbered or loose or part or short_form or exact):
        return None
    matched_mine, matched_theirs = {one for one, _, _ in pairs}, {two for _, two, _ in pairs}
    models = [pair for pair in telling if is_model(pair[0])]
    numbers = [one for one, _, _ in models if one.isdigit()]
    return Alignment(
        exact=exact,
        codes=len(models) - len(numbers) + len(numbered),
        numbers=len(numbers),
        words=len(telling) - len(models) + len(loose),
        coined=len([two for one, two, _ in telling if not is_model(one) and two not in BRANDS]),
        descriptors=len(pairs) - len(telling),
        ties=frozenset(tie for _, _, tie in telling),
        leads=bool(mine) and _first_name(mine) in matched_mine,
        own=Extra() if exact else _extra(mine, matched_mine, own, stated.aside),
        stated=Extra() if exact else _extra(theirs, matched_theirs, stated, own.aside),
        short_form=short_form,
        part=part,
        own_tail=bool(own.tail - _all_tokens(stated) - DESCRIPTORS),
        stated_tail=bool(stated.tail - _all_tokens(own) - DESCRIPTORS),
        asides_differ=_asides_differ(own, stated),
    )


def _pairs(mine: Sequence[str], theirs: Sequence[str]) -> Iterable[Pair]:
    """Tokens that belong together: the same ones first, then those written or meant otherwise."""
    known = set(theirs)
    yield from ((one, one, Tie.SAME) for one in dict.fromkeys(mine) if one in known)
    left_mine = [one for one in mine if one not in known]
    left_theirs = [two for two in theirs if two not in set(mine)]
    for one in left_mine:
        for two in left_theirs:
            tie = _tie(one, two)
            if tie is not None:
                yield one, two, tie
    yield from _initialisms(left_mine, left_theirs)


def _tie(one: str, two: str) -> Tie | None:
    if not is_model(one):
        if misspelt(one, two):
            return Tie.MISSPELT
        return Tie.ABBREVIATED if _abbreviates(one, two) or _abbreviates(two, one) else None
    if model_matches(two, one):
        return Tie.MEMBER
    if not is_model(two):
        family = two.isalpha() and 1 < len(two) <= _LONGEST_FAMILY and two not in DESCRIPTORS
        return Tie.FAMILY if family and one.startswith(two) and one[len(two)].isdigit() else None
    if _is_type_key(one, two):
        return Tie.TYPE_KEY
    hundreds = _HUNDREDS.fullmatch(two)
    round_family = hundreds and re.fullmatch(rf"{hundreds[1]}{hundreds[2]}\d\d[a-z]*", one)
    return Tie.HUNDREDS if round_family else None


def _is_type_key(one: str, two: str) -> bool:
    """Whether a type key names the stated model: ``3ME12`` and ``3ME``, ``METSEPM5560`` and ``PM5560``."""
    if is_set(two) or len(two) < _SHORTEST_NUMBER:
        return False
    if one.startswith(two):
        rest = one[len(two) :]
        return any(sign.isdigit() for sign in rest) and (len(rest) > 1 or not two[-1].isdigit())
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    if not longer.endswith(shorter):
        return False
    prefix = longer[: -len(shorter)]
    return prefix.isalpha() and (len(shorter) >= _SHORTEST_KEY or shorter.isdigit())


def _abbreviates(short: str, long: str) -> bool:
    """``mgmt`` and ``management``, ``mon`` and ``monitor``: beginning and order of the letters agree."""
    fits = _SHORTEST_NUMBER <= len(short) <= min(len(long) - 2, _LONGEST_ABBREVIATION)
    if not fits or short[0] != long[0] or not long.isalpha():
        return False
    if long.startswith(short):
        return any(long in words for _, words in _KINDS)
    letters = iter(long)
    return short[-1] == long[-1] and all(letter in letters for letter in short)


def _initialisms(mine: Sequence[str], theirs: Sequence[str]) -> Iterable[Pair]:
    """``VMS`` and ``Video Management System``, whichever of the two names has the short form."""
    if mine and theirs:
        own, other = _initials(mine), _initials(theirs)
        for one in mine:
            yield from ((one, word, Tie.ABBREVIATED) for word in _spelled_out(one, theirs, other))
        for two in theirs:
            yield from ((word, two, Tie.ABBREVIATED) for word in _spelled_out(two, mine, own))


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words)


def _spelled_out(short: str, words: Sequence[str], initials: str) -> Sequence[str]:
    """The run of words whose first letters, as `initials` has them, are the short form."""
    if not _SHORTEST_NUMBER <= len(short) <= _LONGEST_FAMILY or not short.isalpha():
        return ()
    start = initials.find(short)
    run = words[start : start + len(short)] if start >= 0 else ()
    return run if all(word.isalpha() for word in run) else ()


def _numbered(own: ProductName, stated: ProductName, mine: Sequence[str], theirs: Sequence[str]) -> list[str]:
    """Model designations that stand in a remark or the model number of one name and anywhere in the other."""
    loose = (own.aside & set(theirs)) | (stated.aside & set(mine))
    found = [token for token in loose if is_model(token) and len(token) >= _SHORTEST_NUMBER]
    both = sorted(token for token in own.aside & stated.aside if is_model(token))
    return found + both if sum(map(len, both)) >= _SHORTEST_CODE else found


def _extra(tokens: Sequence[str], matched: set[str], name: ProductName, other_aside: frozenset[str]) -> Extra:
    """Count what only one name has, by kind."""
    counts: Counter[str] = Counter()
    place = "words_before"
    said_twice = _said_twice(tokens, matched)
    for token in tokens:
        if token in matched:
            place = "words_after"
        elif token not in other_aside and token not in name.vendor_words and token not in said_twice:
            kind = _kind(token, name)
            counts[place if kind == "words" else kind] += 1
    return Extra(**counts)


def _said_twice(tokens: Sequence[str], matched: set[str]) -> set[str]:
    """A short form and the words it stands for, where the other name has either (``MMU Measurement Unit``)."""
    said: set[str] = set()
    initials = _initials(tokens)
    for token in tokens:
        spelled = set(_spelled_out(token, tokens, initials)) - {token}
        if spelled and ({token} & matched or spelled & matched):
            said |= spelled | {token}
    return said


def _kind(token: str, name: ProductName) -> str:
    if is_model(token):
        return "models"
    for kind, words in _KINDS:
        if token in words:
            return kind
    return "suffixes" if token in name.suffixes else "words"


_KINDS = (("variants", VARIANTS), ("accessories", ACCESSORIES), ("roles", ROLES), ("descriptors", DESCRIPTORS))


def _asides_differ(own: ProductName, stated: ProductName) -> bool:
    mine, theirs = own.aside - set(stated.tokens), stated.aside - set(own.tokens)
    return bool(mine and theirs and mine.isdisjoint(theirs))


def _is_telling(word: str) -> bool:
    return word not in DESCRIPTORS and word.isalpha() and len(word) > _SHORTEST_NUMBER


def _within(tokens: Sequence[str], tail: frozenset[str]) -> bool:
    return bool(set(tokens) - DESCRIPTORS) and set(tokens) <= tail


def _all_tokens(name: ProductName) -> frozenset[str]:
    return name.aside | name.tail | set(name.tokens)


def _first_name(tokens: Sequence[str]) -> str:
    return next((token for token in tokens if token not in DESCRIPTORS), tokens[0])


def _harmonise(tokens: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Join neighbours that the other name writes as one: ``EC 40`` beside ``EC40``."""
    known = set(other)
    if known.issuperset(tokens):
        return tokens
    sets = [word for word in other if is_set(word)]
    joined: list[str] = []
    for token in tokens:
        last = joined[-1] if joined else ""
        as_one = last and last not in known and last + token in known
        as_member = last and sets and not is_model(last) and any(model_matches(word, last + token) for word in sets)
        if as_one or as_member:
            joined[-1] += token
        else:
            joined.append(token)
    return tuple(joined)
