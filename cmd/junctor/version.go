package main

import (
	"cmp"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Set by the linker, see the Makefile. Without built, commit and date those count that "go build" finds out by itself.
var (
	built  string // the version
	commit string // with "-dirty" if files were changed
	date   string // of the commit, RFC 3339
)

func version() string { return buildOf(debug.ReadBuildInfo()).Version }

// build is what this program was built of.
type build struct {
	Version string   `json:"version"`
	Commit  string   `json:"commit,omitempty"`
	Date    string   `json:"date,omitempty"`
	Go      string   `json:"go"`
	Modules []module `json:"modules"`
}

type module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum"`
}

// buildOf returns the build that the linker has described.
func buildOf(info *debug.BuildInfo, ok bool) build {
	b := build{Version: built, Modules: []module{}}
	if !ok {
		info = &debug.BuildInfo{}
	}
	if b.Version == "" && strings.HasPrefix(info.Main.Version, "v") {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value + b.Commit
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				b.Commit += "-dirty"
			}
		}
	}
	b.Commit, b.Date = cmp.Or(commit, b.Commit), cmp.Or(date, b.Date)
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.Modules = append(b.Modules, module{m.Path, m.Version, m.Sum})
	}
	return b
}

func (c *cli) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, and with --json the build",
		Args:  operands(0, 0),
		RunE: func(*cobra.Command, []string) error {
			b := buildOf(debug.ReadBuildInfo())
			return c.print(b, [][]string{{b.Version}})
		},
	}
	c.defineJSON(cmd.Flags())
	return cmd
}
