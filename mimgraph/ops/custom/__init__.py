"""Makes layers of modules that users register: reads their signatures, finds their shapes with torch."""
