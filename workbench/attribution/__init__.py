"""Where in the image a model saw a label: four published methods with one interface.

    steps = explain(box, Request("occlusion", pixels, texts, target=0))
    *progress, attribution = steps  # the last item is the Attribution

`explain` is a generator, and whoever runs it decides when the next step is due.
Heat maps and their summary in words stand in `workbench.attribution.heatmap`.
"""

from workbench.attribution.heatmap import overlay
from workbench.attribution.methods import METHODS, availability
from workbench.attribution.request import Attribution, Request
from workbench.attribution.steps import explain

__all__ = ["METHODS", "Attribution", "Request", "availability", "explain", "overlay"]
