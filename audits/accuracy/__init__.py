"""Accuracy: how accurately are images classified by the classes' names, by few labelled images, and by a probe?

Source: Radford et al. 2021, arXiv:2103.00020, sections 3.1.5 and 3.2.
"""
