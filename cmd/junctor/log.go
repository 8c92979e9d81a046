package main

import "github.com/rs/zerolog"

// Requests take less than a second: log lines tell milliseconds.
func init() { zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00" }
