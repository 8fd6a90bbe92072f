"""Flow files: YAML text, positioned nodes, a complete `Flow`, and every defect on the way."""
