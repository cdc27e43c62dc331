"""gRPC in: unpack, call, pack."""
