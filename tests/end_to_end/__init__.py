"""Tests of the deployed template: HTTP in, provider sandboxes out, everything between as on AWS."""
