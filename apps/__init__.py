"""The tabs of the browser page."""
