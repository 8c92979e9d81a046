package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"junctor/pkg/backup"
	"junctor/pkg/notify"
	"junctor/pkg/store/embedded"
)

func (c *cli) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the folder of an embedded store from a backup",
		Long: `Makes the folder of an embedded store from a file that "junctor backup" has
written. First the whole file is checked: its check sums, its version, and every
page of the store.

The folder is created if it is missing. One that has a store is refused.`,
		Args: operands(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := c.store.check(c.getenv); err != nil {
				return err
			}
			if err := c.checkFolderStore("a backup is of an embedded store"); err != nil {
				return err
			}
			if args[0] == "-" {
				return usageError("the file is read twice, which standard input can't be: write it to a file first")
			}
			return c.restore(args[0], c.store.dsn)
		},
	}
	return cmd
}

// restored is what restore prints.
type restored struct {
	Store   string    `json:"store"`
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
	Version string    `json:"version"`
}

func (c *cli) restore(path, folder string) error {
	b, err := backup.Open(path)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Restore(folder); err != nil {
		return err
	}
	// What was published of another state of the store says nothing of this one.
	err = os.Remove(filepath.Join(folder, notify.CheckpointFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return c.print(restored{folder, b.Bytes, b.Created, b.Version}, [][]string{
		{"store", embedded.File(folder)}, {"bytes", fmt.Sprint(b.Bytes)},
		{"backup of", b.Created.Format(time.RFC3339)}, {"made by", "junctor " + b.Version},
	})
}
