"""Images out of sentences: canvases, cutouts, optimisation, guided sampling and editing, steered by a CLIP model."""
