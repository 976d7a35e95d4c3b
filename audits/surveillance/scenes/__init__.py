"""Scenes through a camera: are coarse captions right, and does a close one mislead?"""
