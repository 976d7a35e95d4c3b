"""Few labelled images added to what a model knows by the classes' names: methods that start from zero-shot weights.

support            the images of several drawings, and the classes' sentences
text_initialised   a probe that starts at the sentences (ZS-LP), and the same held near them (CLAP)
lp_plus_plus       a probe plus a learned share of the sentences (LP++)
cross_modal        a probe for which sentences are further training images
tip_adapter        a cache of labelled images beside the sentences, as it is (Tip-Adapter) and trained (Tip-Adapter-F)
methods            the table of them

Nothing here sees a test image before it is done.
"""
