"""The tree of networks: partition, allocation, and its evaluation in integers."""
