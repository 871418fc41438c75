"""What was learned, as figures and as text for a terminal."""
