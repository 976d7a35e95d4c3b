"""Zero-shot classification: choose among any words for one image, many images, or several images and texts."""
