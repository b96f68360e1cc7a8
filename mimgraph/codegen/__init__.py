"""From a typed graph to the source of a stand-alone file, and from that source to an `nn.Module`."""
