"""What happens to a model's answers when an image is disturbed as cameras, weather and files disturb it."""
