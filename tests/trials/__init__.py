"""Tests of searches: sampling, studies, workers and storages."""
