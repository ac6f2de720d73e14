"""Tests of the deployed template: HTTP at one end, provider sandboxes at the other, everything between as on AWS."""
