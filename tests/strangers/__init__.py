"""Guests and drivers that nobody here wrote, attached to our server: each proof counts what passed on both sides."""
