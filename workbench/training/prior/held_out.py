"""What the prior never sees in training, so that what it makes of it can be measured."""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(","))


NAMES = _set(
    """badger, broccoli, cactus, canoe, cello, cucumber, dodo, drum, flamingo, kiwi fruit, lobster, long drum, otter,
    parrot, pineapple, raccoon, sewing needle, skateboard, teapot, tractor"""
)
COMPOSITIONS = _set(
    """purple dog, blue banana, red frog, blue apple, yellow car, blue cat, pink horse, orange star, black umbrella,
    purple apple, two red circles, three blue stars, two apples, three cats, four green squares, two yellow hearts,
    five stars, two fish, three bananas, four dogs"""
)
