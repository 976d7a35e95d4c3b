"""Tables and words for an evaluation with captions, on the page and in the shell."""

from __future__ import annotations

from apps.shared.markdown import literal
from workbench.retrieval.captions import CaptionEvaluation

HEADERS = ("", "R@1", "R@5", "R@10", "median rank", "mean rank", "n")


def rows(result: CaptionEvaluation) -> list[list[str]]:
    """Return an evaluation as rows of text."""
    kinds = {
        "text to image": result.to_items,
        "image to text": result.to_sentences,
        "text to image, hubs corrected": result.corrected,
    }
    return [
        [
            name,
            *(f"{points(one.value)} % ({points(one.low)} to {points(one.high)})" for one in scores.recall.values()),
            f"{scores.median_rank:g}",
            f"{scores.mean_rank:.1f}",
            str(scores.n),
        ]
        for name, scores in kinds.items()
    ]


def summary(result: CaptionEvaluation) -> str:
    """Say what was evaluated, and what the correction of hubs changes."""
    gain, (before, after) = result.gain.difference, result.hubness
    text = (
        f"**{result.sentences} sentences and {result.items} images or videos.** The correction of hubs changes R@1 by "
        f"{points(gain.value)} points (95 % interval {points(gain.low)} to {points(gain.high)}), and hubness from "
        f"{before:.2f} to {after:.2f}."
    )
    if result.missing:
        text += f" {len(result.missing)} names are not in the index, such as {literal(result.missing[0][:60])}."
    return text


def points(share: float | None) -> str:
    """Return a share, 0..1, in percent."""
    return "–" if share is None else f"{100 * share:.1f}"
