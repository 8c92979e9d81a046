package main

import (
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
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

func (c *cli) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  operands(0, 0),
		RunE: func(*cobra.Command, []string) error {
			return c.print(map[string]string{"version": version()}, [][]string{{version()}})
		},
	}
	c.defineJSON(cmd.Flags())
	return cmd
}
