"""Write a project to begin with: a spec, a script that trains its model, and a test."""
