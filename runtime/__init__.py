"""The runtime: pixel language, plan compiler, scheduler, sessions, inference, media, command line."""
