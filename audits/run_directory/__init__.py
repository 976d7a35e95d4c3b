"""One run as files: `header` and `results` write it, `seal` guards it, `reader` reads it; everybody reads it there.

Does not know about audits, models or pages: running, comparing, reporting and the screens stand on this room.
"""
