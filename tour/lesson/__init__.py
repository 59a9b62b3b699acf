"""Lessons: load, run, check, predict. No Linux needed."""
