"""What a model would recognise of people and places through a camera, measured in aggregate."""
