"""Compiled models in the engines of torch and in the tools around it, each on the real thing."""
