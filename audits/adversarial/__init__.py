"""How little must an image change, with the model's own gradients, until it is named as something else?"""
