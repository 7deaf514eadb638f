"""What both servers know of the network: addresses, ports, and who may stay connected."""
