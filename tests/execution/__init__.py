"""Tests of executing programs."""
