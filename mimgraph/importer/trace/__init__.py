"""Record what a forward does: the modules and functions that it calls, and the values between them."""
