"""How often is a person labelled with a crime or an animal, and does it depend on who is shown?

The probe of the CLIP paper, section 7.1: person labels, four non-human and three crime-related ones, one softmax; and
the same with `child` added, which shows how much the answer depends on the label set.
"""
