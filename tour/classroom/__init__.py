"""Exercises for one learner or five hundred: the folder, the check, the hints, the marks. Judged by ``tour.judge``."""
