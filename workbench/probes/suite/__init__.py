"""The CLIP paper's measurements over several data sets: its 27 sets as a table, and its plots from a user's own runs.

paper_sets   the 27 data sets: classes, sizes, metric, prompts, published linear probes
sources      where they come from: licence, name on the hub, files
metrics      the paper's metrics besides accuracy
published    zero-shot accuracies that open_clip published for models of the catalogue, as a prior
plots        the numbers behind the paper's figures: zero-shot against a rival's probe, transfer, compute
"""
