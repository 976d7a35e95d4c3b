"""One attribution as a generator of steps, so that others who share the device wait a step and not a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from workbench.attribution.deletion import deletion
from workbench.attribution.gradcam import grad_cam
from workbench.attribution.gradients import integrated_gradients
from workbench.attribution.methods import METHODS, availability
from workbench.attribution.occlusion import occlusion
from workbench.attribution.relevance import attention_relevance
from workbench.attribution.request import Attribution, Request
from workbench.attribution.score import AttributionMap, Score, check_finite, score_of
from workbench.errors import BadInput, OutOfResources, Unsupported
from workbench.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from workbench.backend import WhiteBox

_WORK: dict[str, Callable[[Score, Tensor, Request], Iterator[Progress | AttributionMap]]] = {
    "grad-cam": grad_cam,
    "integrated-gradients": integrated_gradients,
    "occlusion": occlusion,
    "attention-relevance": attention_relevance,
}


def explain(box: WhiteBox, request: Request) -> Iterator[Progress | Attribution]:
    """Find where in the image a model saw the chosen label.

    Gradients flow to pixels and layers only: weights get no `.grad`, hooks are gone when a step ends, also by an error,
    and nothing about gradients is switched for the caller between the steps.

    Args:
        box: a loaded model with an inside.
        request: the question; its picture has the box's size, its labels the box's width.

    Returns:
        A generator that yields a Progress after each device step of at most `request.batch` pictures, and last
        the Attribution. Closing it early leaves nothing behind.

    Raises:
        BadInput: the picture or the labels do not fit this model (at once).
        Unsupported: this model cannot serve the method (at once).
        WorkbenchError: NaN or infinity anywhere on the way (from a step).
        OutOfResources: the device's memory does not suffice (from a step).
    """
    reason = availability(box)[request.method]
    if reason:
        title = next(method.title for method in METHODS if method.key == request.method)
        raise Unsupported(f"{title}: {reason}")
    if request.side != box.image_size:
        raise BadInput(f"This model sees squares of {box.image_size} pixels; the picture's side is {request.side}.")
    if request.texts.shape[1] != box.dim:
        raise BadInput(
            f"This model's texts have {box.dim} numbers each; the labels given have {request.texts.shape[1]}."
        )
    return _timed(box, request)


def _timed(box: WhiteBox, request: Request) -> Iterator[Progress | Attribution]:
    import torch

    seconds = 0.0
    with closing(_work(box, request)) as work:
        while True:
            begun = perf_counter()
            try:
                # around each step and never around a yield: modes belong to the thread, which is the caller's
                with torch.inference_mode(False), torch.enable_grad():
                    item = next(work)
            except torch.OutOfMemoryError:
                raise OutOfResources(
                    f"Not enough device memory for {request.batch} pictures with gradients at a time; "
                    f"try a smaller `batch`, or occlusion, which needs no gradients."
                ) from None
            seconds += perf_counter() - begun
            if isinstance(item, AttributionMap):
                yield _attribution(box, request, item, seconds)
                return
            yield item


def _work(box: WhiteBox, request: Request) -> Generator[Progress | AttributionMap]:
    import torch

    picture = torch.from_numpy(request.pixels.copy()).to(box.device).float()[None] / 255.0
    score = score_of(box, request)
    for item in _WORK[request.method](score, picture, request):
        if isinstance(item, AttributionMap) and request.check:
            item = replace(item, deletion=deletion(score, picture, item.map, batch=request.batch))
        yield item


def _attribution(box: WhiteBox, request: Request, result: AttributionMap, seconds: float) -> Attribution:
    check_finite(result.map, "attribution")
    notes = [result.note]
    objective = request.objective
    if len(request.texts) < 2 and objective == "contrast":
        objective = "cosine"
        notes.append("With one label there is no contrast: its plain cosine is explained.")
    if not result.map.any():
        notes.append("The map is zero everywhere: this method found no evidence.")
    precision = str(box.dtype).removeprefix("torch.")
    if precision != "float32":
        notes.append(f"The weights are {precision}, which rounds small differences; for numbers to report use float32.")
    return Attribution(
        map=result.map.detach().float().cpu().numpy(),
        method=request.method,
        objective=objective,
        note=" ".join(notes),
        seconds=seconds,
        delta=result.delta,
        gained=result.gained,
        deletion=result.deletion,
    )
