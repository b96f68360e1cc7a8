"""Define merges with weights: attention, gates, bilinear forms, experts, token mixing."""
