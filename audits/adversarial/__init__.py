"""What happens when somebody changes pixels on purpose, with the model's own gradients, too little to be seen.

Knows no corruption and no written word.
"""
