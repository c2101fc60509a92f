"""MediaPipe Tasks: bundles run by the `mediapipe` package, in an environment and a process of its own."""
