"""The traces of jobs: made from what is on disk, and sent to a collector of OpenTelemetry where one is named."""
