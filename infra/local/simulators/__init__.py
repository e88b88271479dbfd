"""Simulated platforms: they speak the documented wire format on loopback, with faults on request."""
