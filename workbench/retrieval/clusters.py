"""Clusters of images, named with words of a vocabulary, with evidence from images that did not choose the name.

Of each cluster, half of the images chooses the words; on the other half, the area under the ROC curve says how well the
first word tells the cluster's images from all others. Beside it stands what a shuffled cluster of that size reaches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import BadInput
from workbench.statistics.intervals import Interval, auroc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.neurons.vocabulary import WordTable

MOST = 30  # clusters
WORDS = 3  # of a name
FIT = 20_000  # images that centres and names are learned from; of more, that many are drawn
FEWEST = 4  # images of a cluster with evidence: two choose, two test
SEED = 0


@dataclass(frozen=True)
class NamedCluster:
    """A cluster, and what its images have in common."""

    number: int
    size: int
    words: tuple[str, ...]  # the most telling first
    tells: Interval | None  # area under the ROC curve of the first word, 0.5 is chance; None for tiny clusters
    shuffled: float | None  # the same for a random cluster of that size, whose name was chosen the same way

    @property
    def name(self) -> str:
        """The words in one line."""
        return ", ".join(self.words)


def usual_count(images: int) -> int:
    """Return how many clusters to look for where nobody says."""
    return max(2, min(12, round(math.sqrt(images / 2))))


def clusters_of(vectors: NDArray[np.float32], count: int, *, seed: int = SEED) -> NDArray[np.intp]:
    """Return the cluster of each vector by k-means, the largest cluster first; (n,).

    Args:
        vectors: (n, dim) unit rows.
        count: of clusters, 2 to 30, at most n.
        seed: of the first centres.

    Raises:
        BadInput: another count.
    """
    from sklearn.cluster import KMeans

    if not 2 <= count <= min(MOST, len(vectors)):
        raise BadInput(f"Clusters are 2 to {min(MOST, len(vectors))} of {len(vectors)} images; got {count}.")
    some = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:FIT])
    cluster = KMeans(count, n_init=4, random_state=seed).fit(vectors[some]).predict(vectors)
    order = np.argsort(-np.bincount(cluster, minlength=count), kind="stable")
    place: NDArray[np.intp] = np.argsort(order)[cluster]
    return place


def name_clusters(
    vectors: NDArray[np.float32], clusters: NDArray[np.intp], table: WordTable, *, seed: int = SEED
) -> list[NamedCluster]:
    """Name each cluster by the words that tell its images best from the others.

    Args:
        vectors: (n, dim) unit rows.
        clusters: (n,) of `clusters_of`.
        table: words with their embeddings by the same model.
        seed: of the halves and of the shuffled clusters, and of the images that are looked at where there are many.
    """
    generator = np.random.default_rng(seed)
    sizes = np.bincount(clusters)
    if len(vectors) > FIT:
        counts = np.maximum(2 * FEWEST, (sizes * (FIT / len(vectors))).astype(int))
        groups = [generator.permutation(np.flatnonzero(clusters == number)) for number in range(len(sizes))]
        some = np.concatenate([rows[:count] for rows, count in zip(groups, counts, strict=True)])
        vectors, clusters = vectors[some], clusters[some]
    cosines = vectors @ table.rows.T  # (n, words)
    chooses = np.zeros(len(vectors), bool)
    for number in range(int(clusters.max()) + 1):
        members = generator.permutation(np.flatnonzero(clusters == number))
        chooses[members[: (len(members) + 1) // 2]] = True
    shuffled = generator.permutation(clusters)
    named = []
    for number in range(int(clusters.max()) + 1):
        words, tells = _named(cosines, clusters == number, chooses)
        chance = _named(cosines, shuffled == number, chooses)[1]
        texts = tuple(table.words[word] for word in words)
        named.append(NamedCluster(number, int(sizes[number]), texts, tells, chance.value if chance else None))
    return named


def _named(
    cosines: NDArray[np.float32], members: NDArray[np.bool_], chooses: NDArray[np.bool_]
) -> tuple[list[int], Interval | None]:
    """Return the most telling words of some images, and the first one's area under the ROC curve on the other half."""
    tested = members & ~chooses
    enough = np.count_nonzero(members) >= FEWEST and tested.any() and (chooses & members).any()
    half = chooses if enough else np.ones(len(members), bool)
    own, others = cosines[half & members], cosines[half & ~members]
    apart = own.mean(axis=0) - (others.mean(axis=0) if len(others) else 0.0)
    spread = np.sqrt(own.var(axis=0) + (others.var(axis=0) if len(others) else 0.0))
    words = np.argsort(-apart / np.maximum(spread, 1e-4), kind="stable")[:WORDS].tolist()
    if not enough or not np.any(~chooses & ~members):
        return words, None
    return words, auroc(cosines[~chooses, words[0]], members[~chooses])
