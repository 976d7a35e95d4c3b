"""What a model would see of people and places through a camera, measured in aggregate."""
