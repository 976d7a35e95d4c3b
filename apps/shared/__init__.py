"""What several views share: the page, the model menu, widgets, charts, long jobs, and a visitor's uploads and runs."""
