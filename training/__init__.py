"""The recipe behind netral's model: prepare, adapt, train, calibrate, evaluate, export."""
