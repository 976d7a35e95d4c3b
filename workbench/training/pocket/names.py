"""The vocabulary: the thousand classes, their hypernyms and everyday names, and WordNet's glosses.

Reads WordNet's noun files and timm's list of ImageNet classes.

Sources:
    Miller 1995, WordNet: a lexical database for English (version 3.1).
    Russakovsky et al. 2015, arXiv:1409.0575 (the thousand classes).
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLASSES = 1000
COMMON = 3.5  # Zipf frequency, from which on a thing's name is worth reading
TOUCHED = frozenset({"05", "06", "08", "13", "17", "20", "27"})  # WordNet's files of animals, food, tools, …
WIDEST = 260  # a hypernym of more classes than this ("artifact") says too little to be a name
EVERYDAY = {  # everyday names that no class carries, and the classes (by first name) that show such things
    "apple": ("Granny Smith",),
    "bear": ("brown bear", "American black bear", "ice bear", "sloth bear"),
    "bicycle": ("bicycle-built-for-two", "mountain bike"),
    "bike": ("mountain bike", "bicycle-built-for-two"),
    "boat": ("speedboat", "canoe", "gondola", "fireboat", "lifeboat"),
    "bread": ("French loaf", "bagel", "pretzel"),
    "cat": ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"),
    "chicken": ("hen", "cock"),
    "church": ("church",),
    "clock": ("analog clock", "wall clock", "digital clock"),
    "coffee": ("espresso",),
    "coffee cup": ("cup", "coffee mug", "espresso"),
    "cow": ("ox",),
    "cup of coffee": ("espresso", "cup"),
    "elephant": ("African elephant", "Indian elephant"),
    "frog": ("bullfrog", "tree frog", "tailed frog"),
    "guitar": ("acoustic guitar", "electric guitar"),
    "hamburger": ("cheeseburger",),
    "horse": ("sorrel",),
    "lion": ("lion",),
    "monkey": ("macaque", "capuchin", "squirrel monkey", "guenon", "spider monkey"),
    "motorbike": ("moped", "motor scooter"),
    "motorcycle": ("moped", "motor scooter"),
    "mug": ("coffee mug",),
    "phone": ("cellular telephone", "dial telephone", "pay-phone"),
    "plane": ("airliner", "warplane"),
    "airplane": ("airliner", "warplane"),
    "plant": ("pot",),
    "rabbit": ("wood rabbit", "Angora", "hare"),
    "remote": ("remote control",),
    "rocket": ("missile", "projectile", "space shuttle"),
    "sheep": ("ram", "bighorn"),
    "ship": ("liner", "container ship", "pirate"),
    "shoe": ("running shoe", "Loafer", "clog"),
    "snake": ("garter snake", "king snake", "rock python", "boa constrictor", "Indian cobra"),
    "teddy bear": ("teddy",),
    "train": ("steam locomotive", "electric locomotive", "bullet train"),
    "truck": ("trailer truck", "pickup", "garbage truck", "fire engine"),
    "turtle": ("mud turtle", "box turtle", "terrapin", "loggerhead", "leatherback turtle"),
    "whale": ("killer whale", "grey whale"),
}


@dataclass(frozen=True)
class Synset:
    """One of WordNet's nouns: its words, its gloss and the offsets of what it is a kind of."""

    words: tuple[str, ...]
    gloss: str
    above: tuple[str, ...]


@dataclass(frozen=True)
class Concept:
    """Names of one kind of thing, a gloss ("" where none is known), and the ImageNet classes that are of this kind."""

    names: tuple[str, ...]
    gloss: str
    classes: frozenset[int]


@dataclass(frozen=True)
class Lexicon:
    """All that is known about names.

    Attributes:
        wnids: WordNet id of each class, in ImageNet's order.
        concepts: the thousand classes in order, then hypernyms and everyday names.
        nouns: (words, gloss) of every noun of WordNet.
        above: for each class, the numbers of the wider concepts that hold it.
        things: common words whose first meaning is a thing, sorted; more words to read.
    """

    wnids: tuple[str, ...]
    concepts: tuple[Concept, ...]
    nouns: tuple[Synset, ...]
    above: tuple[tuple[int, ...], ...]
    things: tuple[str, ...] = ()

    def first(self) -> list[str]:
        """The first name of each class."""
        return [concept.names[0] for concept in self.concepts[:CLASSES]]


def wordnet(file: Path) -> dict[str, Synset]:
    """Read `data.noun`: offset -> synset."""
    synsets = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):  # the licence
            continue
        parts, gloss = line.split("|", 1)[0].split(), line.split("|", 1)[1]
        count = int(parts[3], 16)
        words = tuple(parts[4 + 2 * place].replace("_", " ") for place in range(count))
        start = 4 + 2 * count
        pointers = [parts[start + 1 + 4 * place :][:2] for place in range(int(parts[start]))]
        above = tuple(offset for kind, offset in pointers if kind in ("@", "@i"))
        synsets[parts[0]] = Synset(words, gloss.split(";")[0].strip(), above)
    return synsets


@functools.cache
def lexicon(file: Path) -> Lexicon:
    """Match the thousand classes with WordNet and collect their hypernyms.

    Args:
        file: WordNet's `data.noun`.
    """
    from timm.data.imagenet_info import ImageNetInfo

    info, synsets = ImageNetInfo(), wordnet(file)
    names = [tuple(word.strip() for word in info.index_to_description(i).split(",")) for i in range(CLASSES)]
    places = list(_match(names, synsets))
    under: dict[str, set[int]] = defaultdict(set)
    for number, place in enumerate(places):
        for offset in (place, *sorted(_ancestors(place, synsets))):  # a set's order differs from process to process
            under[offset].add(number)
    classes = [
        Concept(own, synsets[place].gloss, frozenset(under[place] | {number}))
        for number, (own, place) in enumerate(zip(names, places, strict=True))
    ]
    taken = set(places)
    wide = [
        Concept(synsets[offset].words, synsets[offset].gloss, frozenset(held))
        for offset, held in under.items()
        if 2 <= len(held) <= WIDEST and offset not in taken
    ]
    known = {own[0]: number for number, own in reversed(list(enumerate(names)))}
    usual = [Concept((name,), "", frozenset(known[one] for one in own)) for name, own in EVERYDAY.items()]
    concepts = (*classes, *wide, *usual)
    above = [tuple(k for k in range(CLASSES, len(concepts)) if i in concepts[k].classes) for i in range(CLASSES)]
    wnids = tuple(info.index_to_label_name(i) for i in range(CLASSES))
    return Lexicon(wnids, concepts, tuple(synsets.values()), tuple(above), _things(file))


def _things(file: Path) -> tuple[str, ...]:
    """Common nouns that first mean something that can be touched, by WordNet's `data.noun` and the index beside it."""
    from wordfreq import zipf_frequency

    kind = {line[:8]: line[9:11] for line in file.read_text(encoding="utf-8").splitlines()}
    things = []
    for line in file.with_name("index.noun").read_text(encoding="utf-8").splitlines():
        word, *rest = line.split()
        if line.startswith(" ") or not (word.isascii() and word.isalpha() and len(word) > 2):
            continue  # the licence, or no word to read
        first = rest[-int(rest[1])]
        if kind[first] in TOUCHED and zipf_frequency(word, "en") >= COMMON:
            things.append(word)
    return tuple(things)


def _match(names: list[tuple[str, ...]], synsets: dict[str, Synset]) -> Iterator[str]:
    """Find each class's synset by its set of words, else by the largest overlap among those with its first word."""
    whole: dict[frozenset[str], str] = {}
    single: dict[str, list[str]] = defaultdict(list)
    for offset, synset in synsets.items():
        words = frozenset(word.lower() for word in synset.words)
        whole.setdefault(words, offset)
        for word in words:
            single[word].append(offset)
    for own in names:
        lowered = frozenset(name.lower() for name in own)
        near = single.get(own[0].lower(), [])
        yield whole.get(lowered) or max(near, key=lambda o: len(lowered & {w.lower() for w in synsets[o].words}))


def _ancestors(start: str, synsets: dict[str, Synset]) -> set[str]:
    ancestors: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = set(synsets[waiting.pop()].above) - ancestors
        ancestors |= fresh
        waiting += fresh
    return ancestors
