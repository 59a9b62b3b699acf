"""The lessons of vhost-tour, installed as ``tour_lessons``: texts, scenes and recordings, loaded by path."""
