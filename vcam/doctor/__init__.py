"""``hifihead doctor``: probes gather facts about this machine, checks judge them, findings say how to put things right."""
