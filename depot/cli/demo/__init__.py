"""``depot demo``: a page that shows files following their rows."""
