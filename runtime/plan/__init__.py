"""From a graph to a plan: named passes over immutable data (`passes`), then a printable, storable Plan (`ir`)."""
