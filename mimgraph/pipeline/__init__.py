"""Cut a graph into stages for torch.distributed.pipelining."""
