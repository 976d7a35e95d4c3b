"""The shipped prior as a folder that diffusers loads: network, decoder, scheduler and a pipeline around them.

`denoiser.py`, `decoder.py` and `pipeline.py` are copied into that folder, so they import nothing of this package.
"""

from __future__ import annotations

from workbench.generation.exported.export import export_prior

__all__ = ["export_prior"]
