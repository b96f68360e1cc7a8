"""Ultralytics' YAML of a YOLO model, read into a spec without its package."""
