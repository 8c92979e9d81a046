package main

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
	"strings"
)

// built is the version, set by the linker; see the Makefile.
var built string

func version() string {
	if built != "" {
		return built
	}
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	return "dev"
}

func defineVersion(*flag.FlagSet) action {
	return func(_ context.Context, p *process, operands []string) error {
		if err := noOperands("version", operands); err != nil {
			return err
		}
		_, err := fmt.Fprintln(p.stdout, version())
		return err
	}
}
