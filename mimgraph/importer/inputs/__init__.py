"""Read which inputs a model has, bind them to the arguments of its forward, and make values for them."""
