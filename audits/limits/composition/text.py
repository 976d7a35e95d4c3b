"""What the report says about composition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import amount, finding
from workbench.statistics.measures import Measure

_FEWEST = 20  # images below which nothing is concluded

HOW_TO_READ = """
Each image has a **true caption** and one that is **almost the same and wrong**: a word is replaced ("a red circle" for
"a blue circle"), two are swapped ("a red circle and a blue square" for "a blue circle and a red square"), or one is
added. A model that knows the words but not how they belong together chooses no better than a coin.

- **Image to text**: the share of images that are nearer to their true caption. Guessing gives one half.
- **Text to image**: for two images with swapped captions, the share of captions that are nearer to their own image.
- **Group score**: the share of pairs in which all four choices are right. Guessing gives one in six, because the
  choices hang together. `text_score` and `image_score` ask for both choices of one kind; guessing gives one in four.
- **Tied**: both captions get the very same score. A model that only counts words ties on every swap; a tie is wrong.
- **Blind**: what a model that sees no image gets right. It knows which words follow each other in the captions of this
  very protocol. Where it does well, the sentences give the answer away. `above_blind` is the model minus the blind one,
  image by image: only that says something about seeing.

"Replace object" is the easy case: a model that fails there does not recognise the things, and the other rows then say
nothing about word order.
"""

LIMITS = """
- Drawn scenes are clean and small in number of things. Success there does not extend to photos and long captions.
- Below one half is possible: a model may prefer the longer, the rarer or the odder sentence whatever the image.
- Scenes show what a sentence says literally. "On" and "above", or who chases whom, may be read in another way.
- In "add" and "scrambled order" only image to text is asked: the false caption has no image of its own.
- The blind model is small. Larger models of language find more in the sentences than pairs of words.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on each kind, on the group score, on ties, and on captions that give the answer away."""
    for m in measures:
        of = f"“{'”, “'.join(m.slice.values())}”" if m.slice else "all questions"
        chance = m.null_mean or 0.0
        if m.metric == "image_to_text" and m.slice_by in ("", "kind"):
            claim = f"{of}: the true caption is chosen for {{}}, above chance, {100 * chance:.0f} %"
            yield finding(m, claim, opposite=claim.replace("above", "below"), few=_FEWEST, zero=chance)
        if m.metric == "group_score" and not m.slice:
            claim = f"all four choices of a pair are right for {{}}, above chance, {100 * chance:.1f} %"
            yield finding(m, claim, opposite=claim.replace("above", "below"), few=_FEWEST, zero=chance)
        if m.metric == "tied" and m.slice_by == "kind" and (m.value or 0) > 0.5:
            text = f"{of}: both captions get the same score in {amount(m)}; the model does not see the order of words."
            yield Finding(text, "found", m.metric, m.slice, m.value, n=m.n)
        if m.metric == "blind" and m.slice_by == "kind" and (m.ci_low or 0) > chance:
            text = f"{of}: the captions give the answer away: word pairs alone, without an image, choose {amount(m)}."
            yield Finding(text, "note", m.metric, m.slice, m.value, m.p_adj, m.n)
