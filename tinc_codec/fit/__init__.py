"""Fitting trees to chunks with torch."""
