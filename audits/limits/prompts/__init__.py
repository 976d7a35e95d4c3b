"""Prompts: how much does the wording matter, when labels and images stay the same?"""
