"""Jobs that run on any device, in this process or another: plain arguments in, a stream of plain values out.

A table, `TASKS`, names them. A remote device looks a task up by its name and runs the same function as a local one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from workbench.engine.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.attribution import Attribution, Request
    from workbench.backend import TowerEncoder, WhiteBox
    from workbench.generation.painting import Painting
    from workbench.neurons.dictionary import DictionarySettings
    from workbench.neurons.visualisation import UnitImageJob, UnitImages
    from workbench.progress import Progress
    from workbench.typographic.head_learning import HeadLesson
    from workbench.typographic.learned import Learned
    from workbench.typographic.learning import DefenceLesson
    from workbench.typographic.search import LabelSearch, Trial

IMAGES_PER_SECOND = 200.0  # of a lent GPU; low, so that estimates are not exceeded
TEXTS_PER_SECOND = 1000.0
EXPLAIN_SECONDS = 20.0


class Remote(Protocol):
    """A device in another process; it is called in the caller's own thread."""

    def stream(self, task: str, keys: tuple[str, ...], payload: Any) -> Iterable[Any]:
        """Run a task of the table on models and yield what it yields.

        Args:
            task: a name in `TASKS`, or in the table of a room above.
            keys: of the models, the session's own first.
            payload: plain data.

        Raises:
            Unsupported: a model or a task that is not offered there.
        """


def _embed_pixels(model: TowerEncoder, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """(n, 3, size, size) uint8 -> one array (n, dim) float32, unit rows."""
    import torch

    yield model.encode_pixels(torch.from_numpy(pixels)).numpy()


def _embed_features(model: TowerEncoder, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """(n, 3, size, size) uint8 -> one array (n, dim + width) float32: embeddings beside the features before them."""
    import torch

    yield torch.cat(model.encode_features(torch.from_numpy(pixels)), dim=1).numpy()


def _count_operations(model: TowerEncoder, pixels: NDArray[np.uint8]) -> Iterator[float]:
    """(n, 3, size, size) uint8 -> multiplications with addition of the image tower, in billions an image (GMACs)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model.encode_pixels(torch.from_numpy(pixels))
    yield counter.get_total_flops() / 2 / len(pixels) / 1e9


def _embed_raw(model: Any, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.float32]]:
    """(n, 3, size, size) uint8 -> one array (n, dim) float32: embeddings of the lengths that the tower gives them.

    Raises:
        Unsupported: the model has none.
    """
    import torch

    from workbench.errors import Unsupported

    if not hasattr(model, "encode_raw"):
        raise Unsupported(f"{model.spec.title} gives embeddings of unit length only.")
    yield model.encode_raw(torch.from_numpy(pixels)).numpy()


def _embed_tokens(
    model: TowerEncoder, tokens: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[NDArray[np.float32]]:
    """Ids and mask, each (n, length) -> one array (n, dim) float32, unit rows."""
    import torch

    from workbench.backend import Tokens

    ids, mask = (torch.from_numpy(part) for part in tokens)
    yield model.encode_tokens(Tokens(ids, mask, ())).numpy()


def _explain(model: WhiteBox, request: Request) -> Iterator[Progress | Attribution]:
    """Attribute a score to the pixels; see `attribution.explain`."""
    from workbench.attribution import explain

    yield from explain(model, request)


def _search_label(model: TowerEncoder, request: LabelSearch) -> Iterator[Progress | Trial]:
    """Find the smallest label that makes a name the answer; see `typographic.search`."""
    from workbench.typographic.search import search

    yield from search(model, request)


def _learn_defence(model: Any, lesson: DefenceLesson | HeadLesson) -> Iterator[Progress | Learned]:
    """Learn a defence against written words; see `typographic.learning`."""
    from workbench.typographic.learning import learn

    yield from learn(model, lesson)


def _layer(model: WhiteBox, payload: Any) -> Iterator[Any]:
    """Activations of a layer; see `neurons.passes`."""
    from workbench.neurons.passes import layer_rows

    yield from layer_rows(model, payload)


def _unit_maps(model: WhiteBox, payload: Any) -> Iterator[NDArray[np.float32]]:
    """Where a unit is active; see `neurons.passes`."""
    from workbench.neurons.passes import unit_maps

    yield from unit_maps(model, payload)


def _intervene(model: WhiteBox, payload: Any) -> Iterator[NDArray[np.float32]]:
    """Embeddings with some units changed; see `neurons.passes`."""
    from workbench.neurons.passes import intervened_rows

    yield from intervened_rows(model, payload)


def _decompose(model: WhiteBox, payload: Any) -> Iterator[Any]:
    """Cosines as sums; see `neurons.decomposition`."""
    from workbench.neurons.decomposition import decompositions

    yield from decompositions(model, payload)


def _head_outputs(model: WhiteBox, payload: Any) -> Iterator[Any]:
    """What attention heads add to embeddings; see `neurons.head_passes`."""
    from workbench.neurons.head_passes import head_outputs

    yield from head_outputs(model, payload)


def _learn_dictionary(model: Any, lesson: tuple[NDArray[np.float32], DictionarySettings]) -> Iterator[Any]:
    """Learn a sparse dictionary of vectors, step by step; see `neurons.dictionary`. The model only lends its turn."""
    from workbench.neurons.dictionary import learn

    yield from learn(*lesson)


def _conductance(model: WhiteBox, request: Any) -> Iterator[Any]:
    """Cosines as sums over any layer; see `neurons.conductance`."""
    from workbench.neurons.conductance import conductances

    yield from conductances(model, request)


def _generate(model: WhiteBox, *rest: Any) -> Iterator[Progress | Painting]:
    """Optimise a canvas, or draw with a prior or a checkpoint; further models that steer stand before it."""
    from workbench.generation.canvases import StyleGan2
    from workbench.generation.diffusion.checkpoint import Checkpoint
    from workbench.generation.optimisation import optimise
    from workbench.generation.prior import Prior
    from workbench.generation.sampling import draw

    *others, job = rest
    boxes = (model, *others[: len(job.also)])
    artist = next((one for one in others if isinstance(one, Prior | Checkpoint | StyleGan2)), None)
    if job.settings.method in ("prior", "diffusion"):
        yield from draw(boxes, artist, job)  # type: ignore[arg-type]
    else:
        yield from optimise(boxes, job, artist)  # type: ignore[arg-type]


def _visualise(model: WhiteBox, job: UnitImageJob) -> Iterator[Progress | UnitImages]:
    """Paint images that a unit responds to; see `neurons.visualisation`."""
    from workbench.neurons.visualisation import paint

    yield from paint(model, job)


EMBED_PIXELS = Task("embed pixels", _embed_pixels, lambda pixels: len(pixels) / IMAGES_PER_SECOND)
EMBED_FEATURES = Task("embed features", _embed_features, lambda pixels: len(pixels) / IMAGES_PER_SECOND)
COUNT_OPERATIONS = Task("count operations", _count_operations, lambda pixels: len(pixels) / IMAGES_PER_SECOND)
EMBED_RAW = Task("embed raw", _embed_raw, lambda pixels: len(pixels) / IMAGES_PER_SECOND)
EMBED_TOKENS = Task("embed tokens", _embed_tokens, lambda tokens: len(tokens[0]) / TEXTS_PER_SECOND)
EXPLAIN = Task("explain", _explain, lambda request: EXPLAIN_SECONDS)
SEARCH_LABEL = Task("search label", _search_label, lambda request: request.calls / IMAGES_PER_SECOND)
LEARN_DEFENCE = Task("learn defence", _learn_defence, lambda lesson: 60.0)
LAYER = Task("layer", _layer, lambda payload: 2 * len(payload[0]) / IMAGES_PER_SECOND)
UNIT_MAPS = Task("unit maps", _unit_maps, lambda payload: 2 * len(payload[0]) / IMAGES_PER_SECOND)
INTERVENE = Task("intervene", _intervene, lambda payload: 2 * len(payload[0]) / IMAGES_PER_SECOND)
DECOMPOSE = Task("decompose", _decompose, lambda payload: 8 * len(payload[0]) / IMAGES_PER_SECOND)
CONDUCTANCE = Task(
    "conductance", _conductance, lambda request: 4 * request.steps * len(request.texts) / IMAGES_PER_SECOND
)
LEARN_DICTIONARY = Task(
    "learn dictionary", _learn_dictionary, lambda lesson: lesson[1].steps * lesson[1].features / 40_000
)
HEADS = Task("heads", _head_outputs, lambda payload: 2 * len(payload[0]) / IMAGES_PER_SECOND)
GENERATE = Task("generate", _generate, lambda job: job.settings.seconds)
VISUALISE = Task("visualise", _visualise, lambda job: job.settings.steps * job.settings.count / 20)

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        *(EMBED_PIXELS, EMBED_FEATURES, EMBED_RAW, EMBED_TOKENS, COUNT_OPERATIONS, EXPLAIN, SEARCH_LABEL, GENERATE),
        *(LAYER, UNIT_MAPS, INTERVENE, DECOMPOSE, CONDUCTANCE, HEADS, LEARN_DICTIONARY, VISUALISE),
    )
}
