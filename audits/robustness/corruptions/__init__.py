"""Corruptions: how much accuracy is left under noise, blur, weather and digital artefacts?"""
