"""Tests of the real-mode guest in KVM."""
