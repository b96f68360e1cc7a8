"""Define merges that compute value by value or by a product: sums, conditions, formulas, einsum."""
