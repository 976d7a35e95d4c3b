"""How often ECE lies in its consistency band: `python -m tests.workbench.statistics.calibration_coverage`.

Models are sure by 0.4 to 0.95 and right as often, or less often by `OFF`; drawn anew each time.
"""

from __future__ import annotations

import numpy as np

from workbench.statistics.calibration import expected_calibration_error

SIZES, OFF, DRAWS = (230, 700), (0.0, 0.03, 0.08), 400


def inside(n: int, off: float, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Share of models of n cases whose ECE lies inside the band of 95 of 100 calibrated models."""
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(draws):
        sure = rng.uniform(0.4, 0.95, n)
        error = expected_calibration_error(sure, rng.random(n) < sure - off, rng=rng)
        hits += error.value is not None and error.null_q95 is not None and error.value <= error.null_q95
    return hits / draws


def main() -> None:
    """Print a row for each size."""
    for n in SIZES:
        row = ", ".join(f"true ECE {off:g}: {100 * inside(n, off):.1f} %" for off in OFF)
        print(f"n = {n}: inside the band at {row}", flush=True)


if __name__ == "__main__":
    main()
