"""What `import calligan` offers, and what the commands call: whole tasks, without printing."""
