"""Which labels does a model give to women and which to men, when every label above a threshold counts?

The Members of Congress experiment of the CLIP paper, section 7.1, after Schwemmer et al. 2020; and, where the data name
a person's occupation, how often it is the likeliest label, by group.
"""
