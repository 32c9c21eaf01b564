"""Optional parts, each behind the program's plug-in door. There is none yet."""
