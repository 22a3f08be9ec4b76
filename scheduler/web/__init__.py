"""Pages and feeds: views ask queries, call services, and render."""
