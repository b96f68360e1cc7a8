"""Say what stands under the mouse: one module for each kind of place."""
