"""The doors: REST and the live feed over HTTP, the front door over gRPC. The only async code."""
