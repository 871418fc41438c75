"""Programs: their form, the passes over them, and an interpreter."""
