"""Workloads as plain manifests: pure, one file a workload."""
