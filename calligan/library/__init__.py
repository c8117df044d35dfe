"""The library behind `import calligan` and the commands: whole tasks, without printing."""
