// Package backup copies the folder of an embedded store into one file, and restores the folder from it.
//
// A backup is a tar archive: what the backup is, the store's file, the files beside it without which a restored folder
// would serve other clients than before, and last the check sums of all of these, as sha256sum reads them. So an archive
// that was cut off has none, and tools that every system has can examine it.
//
// The package does not know what the store holds, who may make a backup, or where backups go. A CouchDB has tools of
// its own.
package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"junctor/pkg/store/embedded"
)

// The members of an archive, in their order.
const (
	manifestName = "manifest.json"
	storeName    = "junctor.db"
	KeyName      = "secret.key" // may be missing: it is created when it is first needed
	AdminName    = "admin.json" // may be missing: the server writes it
	sumsName     = "SHA256SUMS"
)

// version is the version of the archive's layout.
const version = 1

// maxSmall bounds every member but the store, in bytes.
const maxSmall = 64 << 10

// Manifest says what a backup is.
type Manifest struct {
	Backup  int       `json:"junctor_backup"` // the version of the archive's layout
	Created time.Time `json:"created"`
	Version string    `json:"version"` // of the junctor that made it
	Format  int       `json:"format"`  // embedded.FormatVersion of the store
	Bytes   int64     `json:"bytes"`   // of the store's file
}

// Source is an embedded store; *store.Store is one.
type Source interface {
	Snapshot(ctx context.Context) (*embedded.Snapshot, error)
}

// Options are the options of Write.
type Options struct {
	Folder     string // of the store's files beside the store itself
	WithoutKey bool   // leaves KeyName out
	Version    string // of the program
	Now        time.Time
}

// Write writes a backup of a store, which may be written to meanwhile, to w. It returns by how many bytes the store's
// file grew meanwhile, see embedded.Snapshot.
func Write(ctx context.Context, w io.Writer, source Source, o Options) (grown int64, err error) {
	small, err := readSmall(o)
	if err != nil {
		return 0, err
	}
	snapshot, err := source.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, snapshot.Close())
		grown = snapshot.Grown()
	}()
	manifest, err := json.Marshal(Manifest{
		Backup: version, Created: o.Now.UTC().Truncate(time.Second), Version: o.Version, Format: embedded.FormatVersion,
		Bytes: snapshot.Size,
	})
	if err != nil {
		return 0, err
	}
	a := &archive{tar: tar.NewWriter(w), modified: o.Now.Truncate(time.Second)}
	if err := a.addText(manifestName, append(manifest, '\n')); err != nil {
		return 0, err
	}
	if err := a.add(storeName, snapshot.Size, snapshot); err != nil {
		return 0, err
	}
	for _, file := range small {
		if err := a.addText(file.name, file.text); err != nil {
			return 0, err
		}
	}
	return 0, a.close()
}

type smallFile struct {
	name string
	text []byte
}

// readSmall reads the files beside the store that a backup has.
func readSmall(o Options) (files []smallFile, err error) {
	for _, name := range []string{KeyName, AdminName} {
		if name == KeyName && o.WithoutKey {
			continue
		}
		text, err := os.ReadFile(filepath.Join(o.Folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case len(text) > maxSmall:
			return nil, fmt.Errorf("%s has %d bytes, which no %s of junctor's has", filepath.Join(o.Folder, name),
				len(text), name)
		}
		files = append(files, smallFile{name, text})
	}
	return files, nil
}

// archive writes an archive.
type archive struct {
	tar      *tar.Writer
	modified time.Time
	sums     bytes.Buffer
}

// add adds a member of that size, with its check sum.
func (a *archive) add(name string, size int64, content io.Reader) error {
	sum := sha256.New()
	if err := a.member(name, size, io.TeeReader(content, sum)); err != nil {
		return err
	}
	fmt.Fprintf(&a.sums, "%x  %s\n", sum.Sum(nil), name)
	return nil
}

func (a *archive) addText(name string, text []byte) error {
	return a.add(name, int64(len(text)), bytes.NewReader(text))
}

func (a *archive) member(name string, size int64, content io.Reader) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.modified}
	if err := a.tar.WriteHeader(header); err != nil {
		return err
	}
	n, err := io.Copy(a.tar, content)
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// close adds the check sums and ends the archive.
func (a *archive) close() error {
	if err := a.member(sumsName, int64(a.sums.Len()), &a.sums); err != nil {
		return err
	}
	return a.tar.Close()
}
