"""What keeps lessons honest: ``tour dev check``, ``tour dev hash``, ``tour dev claims``. No Linux needed to import."""
