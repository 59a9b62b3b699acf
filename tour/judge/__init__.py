"""The judge of exercises: it owns memory, rings and ports; a student's code in its jail asks it for every access."""
