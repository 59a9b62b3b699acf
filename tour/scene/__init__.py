"""Puts the parts together: the only place that builds a running set-up."""
