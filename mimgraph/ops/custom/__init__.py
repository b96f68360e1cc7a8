"""Makes layers of the modules that users register: their signatures, and what torch answers of them."""
