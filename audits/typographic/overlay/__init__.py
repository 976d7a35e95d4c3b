"""Typographic attack: how often does a word written on an image override what it shows?"""
