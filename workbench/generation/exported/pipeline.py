"""Draw from embeddings of the model that the prior was trained with.

from diffusers import DiffusionPipeline
pipeline = DiffusionPipeline.from_pretrained("FOLDER", trust_remote_code=True)
image = pipeline(embeddings).images[0]  # embeddings: (n, 384), unit rows, of a sentence or of an image
"""

# mypy: ignore-errors
from __future__ import annotations

from typing import Any

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput


class PriorPipeline(DiffusionPipeline):
    """Classifier-free guidance over the prior's components."""

    def __init__(self, denoiser: Any, decoder: Any, scheduler: Any) -> None:
        super().__init__()
        self.register_modules(denoiser=denoiser, decoder=decoder, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        embeddings: torch.Tensor,
        *,
        style: str | None = None,
        guidance_scale: float = 3.0,
        num_inference_steps: int = 16,
        generator: torch.Generator | None = None,
        output_type: str = "pil",
    ) -> ImagePipelineOutput:
        """Draw one image an embedding.

        Args:
            embeddings: (n, dim) unit rows.
            style: one of the decoder's styles, or none.
            guidance_scale: how far the embedding is stressed; 1 is no guidance.
            num_inference_steps: any; those that divide 960 give what CLIP Workbench gives.
            generator: of the noise.
            output_type: "pil", or "pt" for (n, 3, 64, 64) in 0..1.
        """
        conditions = embeddings.to(self.denoiser.device, self.denoiser.dtype)
        if style is not None:
            conditions = conditions + 0.5 * self.decoder.style_vectors[self.decoder.config.styles.index(style)]
        shape = (len(conditions), self.denoiser.config.components)
        sample = torch.randn(shape, generator=generator).to(conditions)
        both = torch.cat([torch.zeros_like(conditions), conditions])
        self.scheduler.set_timesteps(num_inference_steps)
        for time in self.scheduler.timesteps:
            without, with_ = self.denoiser(torch.cat([sample, sample]), time, both).chunk(2)
            velocity = without + guidance_scale * (with_ - without)
            sample = self.scheduler.step(velocity, time, sample).prev_sample
        images = self.decoder(sample)
        if output_type == "pt":
            return ImagePipelineOutput(images=images)
        return ImagePipelineOutput(images=self.numpy_to_pil(images.movedim(1, -1).float().cpu().numpy()))
