"""The Textual front end: keys, mouse, paint and motion around the picture that ``tour.view`` composes."""
