"""What the notebook surface gives back: a short repr, HTML for notebooks, `plot`, `to_frame` and `to_dict` each."""
