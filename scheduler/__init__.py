"""Company visits by school classes: offers, requests, invitations that stay right.

Imports nothing, ever: the rules must load without Flask.
"""
