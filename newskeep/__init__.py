"""What a person or a program touches: the command line, the web side, export, schedule, health, the demo."""
