"""The training room: image and text towers learn to agree, as in the CLIP paper and its successors.

Holds losses, data, large batches, several processes, checkpoints that go on to the bit, and the small CLIP that learns
in front of a class. Knows no screen; with the loading room it may touch model libraries and CUDA.
"""
