package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"junctor/pkg/progress"
	"junctor/pkg/store/embedded"
	"junctor/pkg/transfer"
)

func (c *cli) importCommand() *cobra.Command {
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Write an exported file to a store",
		Long: `Writes what "junctor export" has exported to a store, which may be of the other
kind. "-" is the standard input. First the whole file is checked.

A document that the store has already is left alone, so the command may be
repeated. One that differs from that in the store is listed and left alone,
unless --overwrite is given; the exit code is then 1. Documents that only the
store has stay.

Import into an empty store, before a server has served it: a server creates an
administrator and keys of its own.`,
		Args: operands(1, 1),
	}
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace documents that differ from those in the file")
	withoutVariable(cmd)
	return c.storeCommand(cmd, storeTask{
		check: func([]string) error {
			if c.app == nil && c.store.dsn == embedded.Memory {
				return usageError("a store in memory is gone when the command ends")
			}
			return nil
		},
		in: c.fromExport,
		run: func(ctx context.Context, a *app, _ []string) error {
			return c.importInto(ctx, a, overwrite)
		},
		asIs:    true,
		creates: true,
		local:   true,
	})
}

// fromExport opens an exported file and verifies it. What it found is c.input.
func (c *cli) fromExport(args []string) (io.ReadCloser, error) {
	name, file := args[0], (*os.File)(nil)
	var err error
	if name == "-" {
		name = "the standard input"
		file, err = spool(c.stdin)
	} else {
		file, err = os.Open(name)
	}
	if err != nil {
		return nil, err
	}
	counts, err := transfer.Verify(file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(counts)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be imported: %w", name, err), file.Close())
	}
	c.input = string(text)
	return file, nil
}

// spool copies what can be read once into a file without a name, which is gone when it is closed.
func spool(r io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "junctor-*")
	if err != nil {
		return nil, err
	}
	if err = os.Remove(file.Name()); err == nil {
		_, err = io.Copy(file, r)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// maxListed bounds the refusals that --json lists.
const maxListed = 1000

// imported is what import prints.
type imported struct {
	transfer.Imported
	Refusals []transfer.Refusal `json:"refusals"` // at most maxListed
}

// importInto imports the standard input. It fails if documents were refused, after it has listed them.
func (c *cli) importInto(ctx context.Context, a *app, overwrite bool) error {
	var counts transfer.Counts
	if err := json.Unmarshal([]byte(c.input), &counts); err != nil {
		return err
	}
	result := imported{Refusals: []transfer.Refusal{}}
	shown := progress.New(c.stderr, c.terminal.Interactive)
	done, err := transfer.Import(ctx, c.stdin, a.store, transfer.ImportOptions{
		Overwrite: overwrite,
		Refused: func(r transfer.Refusal) {
			switch {
			case !c.asJSON:
				shown.End()
				_, _ = fmt.Fprintf(c.stdout, "refused  %s  %s  %s\n", visible(r.Database), visible(r.ID), visible(r.Reason))
			case len(result.Refusals) < maxListed:
				result.Refusals = append(result.Refusals, r)
			}
		},
		Progress: func(p transfer.Progress) {
			shown.Show(int64(p.Documents), int64(counts.Documents), progressText(p))
		},
	})
	shown.End()
	zerolog.Ctx(ctx).Info().Err(err).Int("written", done.Written).Int("refused", done.Refused).Bool("overwrite", overwrite).
		Msg("import")
	result.Imported = done
	if err != nil {
		return partial{err, fmt.Sprintf("%d documents were written, and the command may be run again", done.Written)}
	}
	if err := c.print(result, [][]string{{fmt.Sprintf("imported %d databases: %d documents written, %d were there, %d refused",
		done.Databases, done.Written, done.Unchanged, done.Refused)}}); err != nil {
		return err
	}
	if done.Refused > 0 {
		return fmt.Errorf("%d documents were not imported: see the list; --overwrite replaces those that differ", done.Refused)
	}
	return nil
}
