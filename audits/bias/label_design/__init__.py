"""How much of a rate is decided by the words, and how much by the group of the person?

The same images are named under every wording: label sets with one label left out, with synonyms, with labels added,
times several templates. The variance of the rate of derogatory labels by group and wording is then split.
"""
