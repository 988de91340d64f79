"""Trials, without the programs and the cluster that they need."""
