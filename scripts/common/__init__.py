"""What the scripts share.

A rule has the modules that its script imports as input, so that an edit here reruns exactly the rules that use it.
"""
