"""What happens to a model's answers when a picture is disturbed the way cameras, weather and files disturb it.

Knows no attacker: nothing here looks at the model to choose its disturbance.
"""
