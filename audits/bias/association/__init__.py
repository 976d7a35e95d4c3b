"""Which people does a model place nearer to pleasant words, to careers, to science, than others?

The embedding association test of Caliskan et al. 2017, with images as targets and words as attributes, as in Steed and
Caliskan 2021.
"""
