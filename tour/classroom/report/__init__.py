"""Marks in the form that each reader wants: a terminal, a grading platform, a table."""
