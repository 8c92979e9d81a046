package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/driver"
	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Memory is the path of a store that is gone when it is closed.
const Memory = "memory:"

const (
	fileName      = "junctor.db"
	lockTimeout   = time.Second
	scriptLimit   = 5 * time.Second // CouchDB's os_process_timeout
	formatVersion = 1
	growth        = 1 << 20 // the file grows in such steps
)

// Options adjusts Open. The zero value is usable.
type Options struct {
	// Log gets what view functions say and what they do wrong.
	Log zerolog.Logger
	// ScriptLimit is how long one call of a view function may run; zero is five seconds.
	ScriptLimit time.Duration
}

// Apply lets Options travel through kivik.New.
func (o Options) Apply(target any) {
	if t, ok := target.(*Options); ok {
		*t = o
	}
}

// Open opens the store in the folder path, making it where it is missing, or an empty one for Memory. Only one
// process has a folder open at a time.
//
// As with any kivik client, Close waits for open result sets and feeds, so end those first, by Close or context.
func Open(path string, o Options) (*kivik.Client, error) {
	register()
	return kivik.New(driverName, path, o)
}

const driverName = "junctor"

var register = sync.OnceFunc(func() { kivik.Register(driverName, kivikDriver{}) })

type kivikDriver struct{}

// NewClient opens a store; name is its path.
func (kivikDriver) NewClient(name string, options driver.Options) (driver.Client, error) {
	var o Options
	options.Apply(&o)
	if o.ScriptLimit <= 0 {
		o.ScriptLimit = scriptLimit
	}
	db, err := openFile(name)
	if err != nil {
		return nil, err
	}
	if err := db.Update(prepareFile); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	f, err := newStoreFile(name, o.Log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return newClient(db, f, o), nil
}

func openFile(path string) (*bolt.DB, error) {
	if path != Memory {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
		db, err := openBolt(filepath.Join(path, fileName), false)
		if err != nil {
			return nil, err
		}
		if err := syncFolders(path); err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return db, nil
	}
	folder, err := os.MkdirTemp("", "junctor-")
	if err != nil {
		return nil, err
	}
	// An open file needs no name: without one nothing is left behind, however the process ends.
	defer os.RemoveAll(folder)
	return openBolt(filepath.Join(folder, fileName), true)
}

func openBolt(file string, volatile bool) (*bolt.DB, error) {
	o := &bolt.Options{
		Timeout:         lockTimeout,
		NoSync:          volatile,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: mapSize(),
	}
	db, err := bolt.Open(file, 0o600, o)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another junctor", file)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return nil, fmt.Errorf("%s is not a junctor store: %w", file, err)
	case err != nil:
		return nil, err
	}
	db.AllocSize = growth
	return db, nil
}

// syncFolders puts the names of a new store on disk: a file that is there can still be lost with its folder.
func syncFolders(path string) error {
	for _, folder := range []string{path, filepath.Dir(path)} {
		f, err := os.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// mapSize is how much address space the file gets. bbolt has to wait for all readers before it can map more, so
// a goroutine that writes while it reads rows would wait for itself. A map this wide need not grow in practice,
// and costs nothing where address space is plenty and a map may be longer than its file.
func mapSize() int {
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return 1 << 36
}

// prepareFile makes a new file a store, refuses what is none, and clears what a crash left unfinished.
func prepareFile(tx *bolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return fmt.Errorf("%s is not a junctor store: %w", tx.DB().Path(), fs.ErrInvalid)
		}
		return createLayout(tx)
	}
	if format := string(meta.Get(formatKey)); format != strconv.Itoa(formatVersion) {
		return fmt.Errorf("%s has format %q, this junctor reads format %d", tx.DB().Path(), format, formatVersion)
	}
	return dropUnfinishedIndexes(tx)
}
