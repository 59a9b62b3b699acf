"""The split virtqueue in plain Python: layout, ring, driver side, device side (virtio v1.3 2.7)."""
