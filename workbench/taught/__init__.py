"""What a shipped model was taught: marks labels outside of it, and images unlike those that it has seen."""
