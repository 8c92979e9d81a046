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
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
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
	Snapshot(ctx context.Context, to func(size int64) (io.Writer, error)) error
}

// Options are the options of Write.
type Options struct {
	Folder  string // of the store's files beside the store itself
	Version string // of the program
	Now     time.Time
}

// Write writes a backup of a store, which may be written to meanwhile, to w.
func Write(ctx context.Context, w io.Writer, source Source, o Options) error {
	small, err := readSmall(o)
	if err != nil {
		return err
	}
	a := &archive{tar: tar.NewWriter(w), modified: o.Now.Truncate(time.Second)}
	err = source.Snapshot(ctx, func(size int64) (io.Writer, error) {
		manifest, err := json.Marshal(Manifest{
			Backup: version, Created: o.Now.UTC().Truncate(time.Second), Version: o.Version,
			Format: embedded.FormatVersion, Bytes: size,
		})
		if err == nil {
			err = a.addText(manifestName, append(manifest, '\n'))
		}
		if err != nil {
			return nil, err
		}
		return a.add(storeName, size)
	})
	if err != nil {
		return err
	}
	for _, file := range small {
		if err := a.addText(file.name, file.text); err != nil {
			return err
		}
	}
	return a.close()
}

type smallFile struct {
	name string
	text []byte
}

// readSmall reads the files beside the store that a backup has.
func readSmall(o Options) (files []smallFile, err error) {
	for _, name := range []string{KeyName, AdminName} {
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
	members  []member // so far
}

type member struct {
	name string
	sum  hash.Hash
}

// add begins a member of that size, and returns what takes its content.
func (a *archive) add(name string, size int64) (io.Writer, error) {
	m := member{name, sha256.New()}
	a.members = append(a.members, m)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.modified}
	return io.MultiWriter(a.tar, m.sum), a.tar.WriteHeader(header)
}

func (a *archive) addText(name string, text []byte) error {
	w, err := a.add(name, int64(len(text)))
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// close adds the check sums and ends the archive.
func (a *archive) close() error {
	var sums []byte
	for _, m := range a.members {
		sums = fmt.Appendf(sums, "%x  %s\n", m.sum.Sum(nil), m.name)
	}
	if err := a.addText(sumsName, sums); err != nil {
		return err
	}
	return a.tar.Close()
}
