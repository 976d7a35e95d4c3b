"""The training room: image and text towers learn to agree, as in the CLIP paper and its successors.

Holds losses, data, large batches, several processes, checkpoints that go on to the bit, and the small CLIP that learns
in front of a class. Beside the loading room, only this room may use model libraries and CUDA.
"""
