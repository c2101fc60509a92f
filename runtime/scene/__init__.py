"""Three-dimensional scenes: what is in them, glTF files, and how they are drawn for a shader."""
