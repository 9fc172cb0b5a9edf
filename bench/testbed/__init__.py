"""What is started around a measurement and ended after it: databases, servers, an upstream, processes."""
