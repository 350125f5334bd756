"""What the scripts share.

A rule has a digest of the modules that its script imports as a parameter, so that an edit reruns just that rule.
"""
