"""The contract suite: what any device must do, with the answers recorded from the kernel.

``python -m tour.testing --device kernel --record FILE`` writes the answers, ``--expect FILE`` compares.
"""
