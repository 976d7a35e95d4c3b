"""Calibration: when a model says 80 %, is it right in 80 of 100 cases?

Asked for label sets of several sizes, because a softmax over few labels means something else than one over many.
"""
