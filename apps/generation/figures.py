"""The curve of the similarity over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.shared.charts import layout


def curve(values: Sequence[float]) -> Any:
    """Draw the whole image's similarity after each step, and the best so far."""
    import numpy as np
    import plotly.graph_objects as go

    steps = list(range(1, len(values) + 1))
    figure = go.Figure()
    figure.add_scatter(x=steps, y=list(values), name="this step", line={"color": "#5a9bd4", "width": 1})
    best = np.maximum.accumulate(values).tolist() if values else []
    figure.add_scatter(x=steps, y=best, name="best so far", line={"color": "#d55e00", "dash": "dash"})
    alt = f"Similarity over {len(values)} steps; now {values[-1]:.3f}, best {max(values):.3f}." if values else ""
    figure.update_layout(layout(height=220, alt=alt))
    figure.update_layout(xaxis_title="step", yaxis_title="similarity")
    figure.update_xaxes(rangemode="tozero", tickformat="d", **({"dtick": 1} if len(values) < 8 else {}))
    return figure
