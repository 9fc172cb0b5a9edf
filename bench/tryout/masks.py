"""Is a text the same as others but for what differs among them? Dates, ids and tokens are no difference; more text is.

The texts that are known make a pattern: words that all of them have, and holes where they differ. A word is a run of
what dates, ids, tokens and URLs are made of, so that a random one fills one hole, however it was drawn.
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from itertools import accumulate, takewhile

__all__ = ["Pattern", "pattern_of"]

WORD = re.compile(r"[\w.+/=:%~@-]+|\s+|.", re.DOTALL)
# Texts of more characters are compared line by line.
LONG_CHARACTERS = 2_000_000
LINE = re.compile(r"[^\n]*\n|[^\n]+")
# Texts of as many words each are aligned word for word where at most this share differs.
MOST_DIFFERENT = 0.3
# What stands in a hole may be longer than what was seen there by so much.
TIMES_LONGER, CHARACTERS_LONGER, TIMES_MORE_WORDS = 4, 16, 2
WORDS_BY_CHANCE = 2
ALIGNED_AT_ONCE = 12_000
MARKUP = set("<>{}[]\"'")
NOTHING = {"None", "null", "NULL", "undefined", "nan", "NaN"}


@dataclass(frozen=True, slots=True)
class Hole:
    """A place where the texts differ."""

    words: int
    """The most that were seen in it."""
    characters: int
    """The most that were seen in it."""
    varies: bool
    """Whether it has not the same number of words in all of them; otherwise it has one."""
    nothing: bool
    """Whether one of them had `None` or the like there."""

    def takes(self, word: str) -> bool:
        """Whether the word may stand in it."""
        longest = TIMES_LONGER * self.characters + CHARACTERS_LONGER
        return len(word) <= longest and (self.nothing or word not in NOTHING)


Piece = str | Hole
Place = tuple[int, int, int, int]
"""From and to which piece, from and to which word."""


@dataclass(frozen=True)
class Pattern:
    """What all the texts have, with holes where they differ."""

    pieces: tuple[Piece, ...]
    unit: re.Pattern[str]

    def misfit(self, text: str) -> int | None:
        """The place of the first character where a text leaves the pattern; None if it does not."""
        words = self.unit.findall(text)
        place = first_misfit(self.pieces, words)
        return None if place is None else sum(map(len, words[:place]))

    def widened(self, text: str) -> "Pattern":
        """The pattern of this text too."""
        return Pattern(tuple(widened(self.pieces, self.unit.findall(text))), self.unit)

    @property
    def open_share(self) -> float:
        """How much of the texts lies in holes, by their characters."""
        in_holes = sum(piece.characters for piece in self.pieces if isinstance(piece, Hole))
        fixed = sum(len(piece) for piece in self.pieces if isinstance(piece, str) and not piece.isspace())
        return in_holes / (in_holes + fixed) if in_holes else 0.0


def pattern_of(texts: Sequence[str]) -> Pattern:
    """The pattern of these texts, of which there is one at least."""
    unit = LINE if max(map(len, texts)) > LONG_CHARACTERS else WORD
    first = Pattern(tuple(unit.findall(texts[0])), unit)
    return reduce(Pattern.widened, dict.fromkeys(texts[1:]), first)


def widened(pieces: Sequence[Piece], words: Sequence[str]) -> list[Piece]:
    """The pieces, with holes where the words do not fit."""
    if len(pieces) == len(words) and not any(map(varies, pieces)):
        new = [joint(piece, word) for piece, word in zip(pieces, words, strict=True)]
        if sum(before is not after for before, after in zip(pieces, new, strict=True)) <= MOST_DIFFERENT * len(new):
            return new
    aligned: list[Piece] = []
    done = 0
    for begin, end, from_word, to_word in differing(pieces, words):
        aligned += pieces[done:begin]
        aligned += joined(pieces[begin:end], words[from_word:to_word])
        done = end
    return [*aligned, *pieces[done:]]


def varies(piece: Piece) -> bool:
    """Whether it is a hole for a number of words that varies."""
    return isinstance(piece, Hole) and piece.varies


def differing(pieces: Sequence[Piece], words: Sequence[str]) -> list[Place]:
    """Where they differ. A word or two that are equal between others that are not are so by chance, and differ too."""
    places: list[Place] = []
    for place in unequal(pieces, words):
        if places and by_chance(words[places[-1][3] : place[2]]):
            before = places.pop()
            place = (before[0], place[1], before[2], place[3])
        places.append(place)
    return places


def unequal(pieces: Sequence[Piece], words: Sequence[str]) -> Iterator[Place]:
    """Where they differ: first chunk by chunk if they are many, for the time that it takes grows with their square."""
    if len(pieces) + len(words) <= ALIGNED_AT_ONCE:
        yield from opcodes(pieces, words)
        return
    chunks, others = chunked(pieces), chunked(words)
    begins, starts = [0, *accumulate(map(len, chunks))], [0, *accumulate(map(len, others))]
    for from_chunk, to_chunk, from_other, to_other in opcodes(chunks, others):
        begin, end, start, stop = begins[from_chunk], begins[to_chunk], starts[from_other], starts[to_other]
        if end - begin + stop - start > ALIGNED_AT_ONCE:
            at_end = equal_at_end(pieces[begin:end], words[start:stop])
            yield begin, end - at_end, start, stop - at_end
            continue
        for inner in opcodes(pieces[begin:end], words[start:stop]):
            yield begin + inner[0], begin + inner[1], start + inner[2], start + inner[3]


def equal_at_end(pieces: Sequence[Piece], words: Sequence[str]) -> int:
    """How many are equal from their ends on."""
    pairs = zip(reversed(pieces), reversed(words), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def opcodes(one: Sequence[Hashable], other: Sequence[Hashable]) -> Iterator[Place]:
    """Where two sequences differ."""
    for tag, *place in SequenceMatcher(None, one, other).get_opcodes():
        if tag != "equal":
            yield place[0], place[1], place[2], place[3]


def chunked(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    """The pieces in groups that end with a tag or a line."""
    chunks: list[list[Piece]] = [[]]
    for piece in pieces:
        chunks[-1].append(piece)
        if isinstance(piece, str) and (piece == ">" or "\n" in piece):
            chunks.append([])
    return [tuple(chunk) for chunk in chunks if chunk]


def by_chance(words: Sequence[str]) -> bool:
    """Whether they may be equal by chance: few, and no markup among them."""
    written = [word for word in words if not word.isspace()]
    return len(written) <= WORDS_BY_CHANCE and not any(word in MARKUP for word in written)


def joined(pieces: Sequence[Piece], words: Sequence[str]) -> list[Piece]:
    """What stands for both: a hole for each word if they are as many, else one for all of them."""
    if len(pieces) == len(words) and not any(map(varies, pieces)):
        return [joint(piece, word) for piece, word in zip(pieces, words, strict=True)]
    return [hole(pieces, words)]


def joint(piece: Piece, word: str) -> Piece:
    """What stands for both; the piece itself where it takes the word."""
    if piece == word or (isinstance(piece, Hole) and piece.takes(word)):
        return piece
    nothing = word in NOTHING or (piece.nothing if isinstance(piece, Hole) else piece in NOTHING)
    return Hole(1, max(characters([piece]), len(word)), varies=False, nothing=nothing)


def hole(pieces: Sequence[Piece], words: Sequence[str]) -> Hole:
    """One hole in place of these pieces, which these words fit too."""
    there = sum(piece.words if isinstance(piece, Hole) else 1 for piece in pieces)
    most = max(characters(pieces), characters(words))
    return Hole(max(there, len(words)), most, varies=True, nothing=True)


def characters(pieces: Iterable[Piece]) -> int:
    """How long they are."""
    return sum(piece.characters if isinstance(piece, Hole) else len(piece) for piece in pieces)


def first_misfit(pieces: Sequence[Piece], words: Sequence[str]) -> int | None:
    """The place of the first word where the words leave the pattern, None if they do not.

    All ways to fill the holes are followed at once: by the piece that is to come next, the fewest words that its hole
    has had so far.
    """
    ways: dict[int, int] = {}
    enter(ways, pieces, 0, 0)
    for place, word in enumerate(words):
        after: dict[int, int] = {}
        for index, had in ways.items():
            follow(after, pieces, index, had, word)
        if not after:
            return place
        ways = after
    return None if len(pieces) in ways else len(words)


def follow(ways: dict[int, int], pieces: Sequence[Piece], index: int, had: int, word: str) -> None:
    """One way further by one word, if the word fits there."""
    piece = pieces[index] if index < len(pieces) else ""
    if isinstance(piece, Hole) and piece.varies:
        if had < TIMES_MORE_WORDS * piece.words and piece.takes(word):
            enter(ways, pieces, index, had + 1)
    elif piece.takes(word) if isinstance(piece, Hole) else piece == word:
        enter(ways, pieces, index + 1, 0)


def enter(ways: dict[int, int], pieces: Sequence[Piece], index: int, had: int) -> None:
    """A way that goes on at a piece, and behind it too if it is a hole that may stay empty."""
    ways[index] = min(had, ways.get(index, had))
    if index < len(pieces) and varies(pieces[index]):
        enter(ways, pieces, index + 1, 0)
