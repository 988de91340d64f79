"""The engine against a real API server. No kubelet runs: tests that need one play its part, and say so."""
