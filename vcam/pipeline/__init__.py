"""From motion to the sinks: newest-wins slots between stages that have a thread each."""
