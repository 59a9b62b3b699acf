"""A guest of one real-mode processor in KVM: small enough to read whole, real enough for ioeventfd and irqfd."""
