"""The gallery: specs of published architectures that come with the package.

They are in `specs/` of the repository, and in `mimgraph/gallery/specs/` of a wheel.
"""
