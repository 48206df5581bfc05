"""How the bundled demo models were made: texts, voices, training, measurement."""
