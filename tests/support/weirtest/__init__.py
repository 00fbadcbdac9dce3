"""What the end-to-end tests and the chaos tools share: clients that speak the wire protocols."""
