"""Evaluation of models on characters that are held out of every style."""
