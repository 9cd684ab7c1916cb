"""Benchmarks: each measures Navette against a bare floor that does the same work in the same run, and has an aim."""
