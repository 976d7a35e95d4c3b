"""What the report says about natural shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

HOW_TO_READ = """
The same classes are named in two kinds of pictures: the base and a shifted one. Both accuracies are counted on the
classes that the shift has, and the model chooses among these alone; 200 classes are not set against 1,000.

- **Accuracy** on base and on shift, each with its interval.
- **Fall**: accuracy on the base minus accuracy on the shift, class by class, then averaged; the interval resamples
  classes, with both kinds of a class together.
- **Effective robustness**: how much higher the accuracy on the shift is than a line through other models predicts from
  the accuracy on the base. The line is straight on the logit scale, ln(p / (1 - p)), on both axes; the models behind it
  stand in the table of points. Zero means: as other models of this accuracy.
- **Relative robustness**: accuracy on the shift minus that of the named model.

A fall alone says little: a model with a low base falls less. Effective robustness is the fair comparison, where there
is a line.
"""
LIMITS = """
- Without published points for these very pictures there is no line, and effective robustness is not measured. It is
  never estimated from other pictures' points.
- The line depends on which models it stands on. The shipped points for ImageNet are seven models trained on ImageNet
  alone, of more than two hundred in the testbed.
- A model trained on pictures like the shifted ones is not robust but informed. Which pictures it saw is often unknown.
- Names of classes and templates move accuracies by several points; they are the same on both sides here.
- The built-in styles are made from one drawing each. They show whether style matters with the thing held still, and do
  not stand for ImageNet-R, Sketch or any other set. Their things were chosen among those that the first `pocket` named
  in colour, which flatters its accuracy on the base.
- For video frames a cluster is an anchor with its neighbours; the mean of both ways of counting follows Taori et al.
"""
