"""Words on images: writing them, finding them, what they change, and defences against them."""
