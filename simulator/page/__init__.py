"""How long a page takes on this device and network."""
