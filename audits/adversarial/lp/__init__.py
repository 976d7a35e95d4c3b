"""Adversarial pixels: how little must be changed, with the model's own gradients, until it names something else?"""
