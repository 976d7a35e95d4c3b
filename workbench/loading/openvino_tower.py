"""An image tower that OpenVINO computes on the processor: its weights are packed once and its steps are fused.

Used for embedding alone. Gradients, hooks and whatever looks inside go through torch, whose weights stay beside it.
"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from workbench.errors import BadInput, Unsupported

_REPORTER = "openvino_telemetry"  # tells its maker of each import of OpenVINO; without it, OpenVINO takes a stub
_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}


def import_openvino() -> ModuleType:
    """Import OpenVINO, which sends nothing then.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    sys.modules.setdefault(_REPORTER, None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


class OpenVinoTower:
    """Compiled at the first call, so that weights may still be changed until then."""

    def __init__(self, image: Callable[[Tensor], Tensor], size: int, dtype: torch.dtype) -> None:
        """Take a tower and the side of its images.

        Raises:
            BadInput: numbers that OpenVINO does not compute in on a processor.
        """
        if dtype not in _HINTS:
            raise BadInput(f"The device openvino computes in float32 or bfloat16; got {str(dtype)[6:]}.")
        self._image, self._size, self.dtype = image, size, dtype
        self._compiled: Any = None
        self._lock = threading.Lock()  # a compiled model answers one call at a time

    def around(self, image: Callable[[Tensor], Tensor]) -> OpenVinoTower:
        """The same for another tower: an edited model's."""
        return OpenVinoTower(image, self._size, self.dtype)

    def __call__(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) normalised float32 -> (n, dim) float32, any length.

        Raises:
            Unsupported: a tower with a step that OpenVINO does not have.
        """
        with self._lock:
            if self._compiled is None:
                self._compiled = self._compile()
            return torch.from_numpy(self._compiled([pixels.float().contiguous().numpy()])[0].copy())

    def _compile(self) -> Any:
        openvino = import_openvino()
        from openvino.frontend import FrontEndManager, OpConversionFailure
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sizes become constants, as they are
            example = torch.zeros(2, 3, self._size, self._size)
            traced = torch.jit.trace(  # type: ignore[no-untyped-call]
                lambda pixels: self._image(pixels), example, check_trace=False
            )
            graph = TorchScriptPythonDecoder(traced)  # has to live until it is converted
            frontend = FrontEndManager().load_by_framework("pytorch")
            try:
                model = frontend.convert(frontend.load(graph))
            except (RuntimeError, OpConversionFailure) as error:
                reason = str(error).strip().splitlines()[-1][:200]
                raise Unsupported(f"OpenVINO cannot compute this image tower; take the device cpu. {reason}") from None
        model.reshape([-1, 3, self._size, self._size])
        threads = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "PERFORMANCE_HINT": "LATENCY"}
        return openvino.Core().compile_model(model, "CPU", {**threads, "INFERENCE_PRECISION_HINT": _HINTS[self.dtype]})
