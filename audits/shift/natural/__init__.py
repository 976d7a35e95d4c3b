"""Natural shift: how much does accuracy fall on other kinds of images of the same classes?"""
