"""What the player in a browser draws: a recording folded here, so that no ring is understood twice."""
