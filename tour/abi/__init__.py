"""Names, numbers and layouts of the kernel's interface, and the only code that touches raw memory."""
