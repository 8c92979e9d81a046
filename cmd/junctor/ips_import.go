package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"junctor/pkg/ipfile"
	"junctor/pkg/progress"
)

func (c *cli) ipsImportCommand() *cobra.Command {
	var defaults ipfile.Options
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Add the addresses of a file to the pool",
		Long: `Adds the addresses of a file to the pool. The file "-" is standard input. It is

  CSV with the columns ip, zone, host, notes, in any order if it has a header;
  ip may also be a network or a range,
  an export of addresses of NetBox or phpIPAM, as CSV: the address, the DNS name
  or host name, and description, comments and note are read, and a custom field
  named zone,
  JSON, as "junctor ips export --format json" writes it.

An address that the pool has with the same zone and host stays as it is, so the
command may be run again. Rows that are refused are listed, and the exit code is
then 1.`,
		Args: operands(1, 1),
	}
	nameVar(cmd.Flags(), &defaults.Zone, "zone", "`ZONE` of the rows that have none")
	nameVar(cmd.Flags(), &defaults.Host, "host", "`HOST` of the rows that have none")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would be done, and do nothing")
	return c.storeCommand(cmd, storeTask{
		in: func(args []string) (io.ReadCloser, error) {
			in, err := c.openInput(args[0])
			if err == nil {
				c.input = sizeOf(in)
			}
			return in, err
		},
		dryRun: &dryRun,
		run: func(ctx context.Context, a *app, _ []string) error {
			return c.createInBulk(ctx, a, dryRun, func(b *bulk) error { return c.importRows(ctx, b, defaults) })
		},
	})
}

// importRows creates the rows that are on standard input.
func (c *cli) importRows(ctx context.Context, b *bulk, defaults ipfile.Options) error {
	size, _ := strconv.ParseInt(c.input, 10, 64) // empty is unknown
	shown := progress.New(c.stderr, c.terminal.Interactive)
	defer shown.End()
	in, rows := &countingReader{Reader: c.stdin}, 0
	b.created = func() { shown.Show(in.n, size, fmt.Sprintf("%d rows", rows)) }
	reader, err := ipfile.NewReader(in, defaults)
	if err != nil {
		return err
	}
	for {
		row, err := reader.Read()
		if err == io.EOF {
			return b.flush(ctx)
		}
		if wrong, ok := errors.AsType[*ipfile.RowError](err); ok {
			rows++
			b.refuse(refusedRow{wrong.Row.Number, wrong.Row.Text(), "invalid", wrong.Message})
			continue
		}
		if err != nil { // what was read before it counts
			return cmp.Or(b.flush(ctx), err)
		}
		rows++
		if err := b.add(ctx, row.Number, row.Entry); err != nil {
			return err
		}
	}
}

// sizeOf returns the size of a regular file, for the progress; it is empty if that is not known.
func sizeOf(in io.Reader) string {
	file, ok := in.(*os.File)
	if !ok {
		return ""
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return strconv.FormatInt(info.Size(), 10)
}

// countingReader counts what is read.
type countingReader struct {
	io.Reader
	n int64
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += int64(n)
	return n, err
}
