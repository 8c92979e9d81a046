package embedded

import (
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
)

// TestFormat1 converts a store that junctor wrote when every write updated all indexes: its indexes are complete, and are
// not built again.
func TestFormat1(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	unpack(t, "testdata/format1.db.gz", File(folder))
	if err := CheckFile(File(folder)); err != nil {
		t.Error(err)
	}
	open := Convert
	for _, when := range []string{"converted", "opened again"} {
		client, err := open(folder, zerolog.Nop())
		open = Open
		if err != nil {
			t.Fatal(err)
		}
		d, indexes := &database{client: client.own, name: "dedicated_ips"}, 0
		err = d.read(t.Context(), func(c contents) error {
			list, err := d.indexes(c)
			for _, ix := range list {
				indexes++
				checkIndex(t, c, ix)
			}
			return err
		})
		if err != nil || indexes != 2 {
			t.Errorf("%s: %d indexes: %v", when, indexes, err)
		}
		if rows := listing(t, client.DB(d.name).Query(t.Context(), "dedicated_ips", "available_listing")); len(rows) != 5 {
			t.Errorf("%s: available are %q", when, rows)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	file, err := bolt.Open(File(folder), 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_ = file.View(func(tx *bolt.Tx) error {
		if format, err := readFormat(tx); format != FormatVersion || err != nil {
			t.Errorf("the file has format %d: %v", format, err)
		}
		return nil
	})
}

func unpack(t *testing.T, packed, path string) {
	t.Helper()
	from, err := os.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	reader, err := gzip.NewReader(from)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
