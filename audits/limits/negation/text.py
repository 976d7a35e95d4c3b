"""What the report says about negation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audits.analysis import Finding
from audits.findings import amount, finding
from workbench.statistics.measures import Measure

_FEWEST = 20  # images below which nothing is concluded

HOW_TO_READ = """
Captions name what is there and rarely what is not, so a model may read "without a cat" as "cat".

- **Multiple choice** (`choice`): for each image, one true sentence against three false ones. In *positive* questions
  the true one says what is there, in *negative* ones what is not ("This image does not feature a dog"), in *hybrid*
  ones both. Guessing gives one in four.
- **Search for x without y** (`right_order`): take an image with x alone and one with x and y. How often does the first
  rank higher? A random ranking gives one half, **0 means that the query is read as its opposite**. Asked in three
  ways: the *sentence* ("a cat without a dog"), this workbench's *subtraction* (Search's `cat - dog`), and the *query
  without the exclusion* ("a cat").
- **Search for no y**: the same for "a photo without a dog", over all images. `agreement` is the rank correlation
  between this search and the search for y itself: 1 means that "no dog" ranks images exactly as "dog" does.
- `retrieved`: of the images that fit, the share among as many first ranks as there are images that fit. It shows the
  price: a subtraction that only flees from y loses x.
- `right_order.by_subtraction`: the subtraction minus the sentence, image by image. Above 0 the subtraction helps.
"""

LIMITS = """
- Built-in scenes hold two of eight drawn things. In photographs more may be absent, and tags are incomplete:
  where a tag is missing, the thing may still be there.
- One wording is measured for each sentence. Other wordings ("no", "not", "lacking") may give other numbers.
- Subtraction answers searches, not multiple choice: a sentence is no pair of words with a sign between them.
- A model that recognises none of the things is at one half everywhere. Read *positive* questions first.
- Images of the same two things are not independent; they share a cluster.
"""


def findings(measures: Sequence[Measure]) -> Iterator[Finding]:
    """Yield the sentences on choices beside chance, on what searches make of an exclusion, and on subtraction."""
    for m in measures:
        if m.metric == "choice":
            kind = f"“{m.slice['kind']}” questions" if m.slice else "all questions"
            chance = m.null_mean or 0.0
            claim = f"{kind} ({m.label_set}): the true sentence is chosen for {{}}, above chance, {100 * chance:.0f} %"
            yield finding(m, claim, opposite=claim.replace("above", "below"), few=_FEWEST, zero=chance)
        if m.metric == "right_order" and m.slice["query"] in ("sentence", "subtraction"):
            what = f"a search for {m.label_set} by {m.slice['query']}"
            claim = f"{what} puts images that fit first: {{}} of pairs are in the right order"
            opposite = f"{what} is read as its opposite: only {{}} of pairs are in the right order"
            yield finding(m, claim, opposite=opposite, few=_FEWEST, zero=0.5)
        if m.metric == "right_order.by_subtraction":
            claim = f"subtraction in place of the sentence, for {m.label_set}, raises right orders by {{}}"
            yield finding(m, claim, opposite=claim.replace("raises", "lowers"), few=_FEWEST)
        if m.metric == "agreement" and (m.ci_low or 0) > 0:
            text = f"searches for “no y” rank images as searches for “y” do: rank correlation {amount(m)}."
            yield Finding(f"Found: {text}", "found", m.metric, m.slice, m.value, n=m.n)
