// Package boltfile opens bbolt's files without trusting what is on disk.
//
// bbolt makes a database of an empty file, and a damaged one ends the process: by a panic, or by a signal where the
// memory map reaches beyond a file that was cut off. Open refuses such files with an error that names the damage, and
// never creates a database where a file or its traces already are. Guard turns damage that is found later into an
// error. The package does not know what the databases hold.
package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"junctor/pkg/statefile"
)

// ErrDamaged is wrapped by errors that say that a file is empty, cut off, damaged or no database. They name the file.
var ErrDamaged = errors.New("the file is damaged")

// lockTimeout is how long to wait for a process that has the file open and may be about to end.
const lockTimeout = time.Second

// Options adjusts Open.
type Options struct {
	Bolt bolt.Options // its Timeout is ignored
	// Fill writes what a new file begins with. The file appears with that in it, or not at all.
	Fill func(*bolt.Tx) error
}

// Open opens the file path and reports whether it has created it. Only one process has a file open at a time. Errors
// about the file name it, and what is wrong with it in one line.
func Open(path string, o Options) (db *bolt.DB, created bool, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if created, err = create(path, o); err != nil {
			return nil, false, err
		}
	}
	db, err = open(path, o.Bolt)
	return db, created, err
}

// create makes a new file, unless another process was faster.
func create(path string, o Options) (created bool, err error) {
	folder, err := os.MkdirTemp(filepath.Dir(path), ".junctor-*")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	draft := filepath.Join(folder, "new.db")
	db, err := bolt.Open(draft, 0o600, &bolt.Options{NoSync: o.Bolt.NoSync})
	if err != nil {
		return false, err
	}
	if err := errors.Join(db.Update(o.Fill), db.Close()); err != nil {
		return false, err
	}
	err = statefile.Publish(draft, path)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// OpenReadOnly opens a file that exists, and changes nothing of it.
func OpenReadOnly(path string) (*bolt.DB, error) { return open(path, bolt.Options{ReadOnly: true}) }

// open opens a file that exists. It is checked under bbolt's lock and before bbolt reads it.
func open(path string, o bolt.Options) (db *bolt.DB, err error) {
	o.Timeout = lockTimeout
	o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		return openExisting(name, flag&^os.O_CREATE, mode)
	}
	err = Guard(path, func() error {
		db, err = bolt.Open(path, 0o600, &o)
		return err
	})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another junctor: stop that one, or choose another store", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return nil, damaged(path, err)
	}
	return nil, err
}

// openExisting opens and locks a file for bbolt, and refuses one that bbolt must not read.
func openExisting(path string, flag int, mode os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	if err = wait(file); err == nil {
		err = inspect(path, file)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// wait takes the lock that bbolt takes on the same open file a moment later.
func wait(file *os.File) error {
	const pause = 50 * time.Millisecond
	for deadline := time.Now().Add(lockTimeout); ; time.Sleep(pause) {
		err := statefile.Lock(file)
		switch {
		case !errors.Is(err, statefile.ErrLocked):
			return err
		case time.Now().After(deadline):
			return bolterrors.ErrTimeout
		}
	}
}

func inspect(path string, file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		err = errors.New("it is not a regular file")
	case info.Size() == 0:
		err = errors.New("it is empty")
	default:
		err = verify(file, uint64(info.Size()), maxPages)
	}
	if err != nil {
		return damaged(path, err)
	}
	return nil
}

// damaged returns an error that wraps ErrDamaged.
func damaged(path string, cause error) error {
	return &damage{path: path, cause: cause}
}

type damage struct {
	path  string
	cause error
}

func (d *damage) Error() string { return fmt.Sprintf("%s can't be used: %v", d.path, d.cause) }

func (d *damage) Unwrap() []error { return []error{ErrDamaged, d.cause} }
