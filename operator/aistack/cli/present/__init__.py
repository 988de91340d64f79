"""What is shown to people: pure functions from data to rich renderables and plain lines.

Never: prints, asks a cluster, reads the clock.
"""
