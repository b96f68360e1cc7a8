"""Know the models of other libraries as layers: their options, results and weights."""
