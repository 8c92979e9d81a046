package main

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

//go:embed tour.txt
var tourText string

// printTour prints curl lines that work as they stand. A token of the master account is in them, which is why they
// are printed only when asked for, to standard output, and never logged.
func (s *server) printTour(ctx context.Context, url string) error {
	grant, err := s.issuer.APIKey(ctx, s.admin.APIKey)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	home, err := filepath.Abs(s.home)
	if err != nil {
		return err
	}
	text, err := template.New("tour").Parse(tourText)
	if err != nil {
		return err
	}
	return text.Execute(s.stdout, map[string]any{
		"URL": url, "Token": grant.Token, "Program": quote(program), "Store": quote(home),
		"Console": s.console, "KeyFile": strconv.Quote(adminFile(home)), // on one line, whatever the folder is called
	})
}

// quote makes a text one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
