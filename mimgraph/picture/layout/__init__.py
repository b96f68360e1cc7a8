"""Place the boxes, edges and labels of a diagram: `plan` finds the order, `place` adds the sizes."""
