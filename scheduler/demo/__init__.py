"""Everything that exists only in the demo."""
