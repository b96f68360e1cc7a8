"""Turn each layer and operation of Keras into nodes: a rule for each, by families."""
