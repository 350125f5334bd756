"""Modules that several scripts share, by subject.

A rule has a digest of all modules that its script imports as a parameter, so an edit reruns exactly those rules.
"""
