"""Make layers of modules that users register: read their signatures, find their shapes with torch."""
