"""The exercises of vhost-tour, installed as ``tour_exercises``: texts, solutions and checks, loaded by path."""
