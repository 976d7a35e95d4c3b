"""How well does a model recognise race, gender and age of faces, and for whom less well?

Tables 3 to 5 of the CLIP paper: zero-shot and with a linear probe, by group and intersection. The audit measures a
capability that should not be used on people, because unequal accuracy is how such a use would harm.
"""
