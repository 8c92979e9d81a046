package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/driver"
	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"

	"junctor/pkg/boltfile"
	"junctor/pkg/statefile"
)

// Memory is the path of a store that is gone when it is closed.
const Memory = "memory:"

const (
	fileName = "junctor.db"
	growth   = 1 << 20 // the file grows in such steps
	// mapSize is how much address space the file gets. bbolt has to wait for all readers before it can map more, so a
	// goroutine that writes while it reads rows would wait for itself. A map this wide need not grow in practice.
	mapSize = 1 << 36
)

// FormatVersion is the version of the layout of a store's file. Convert converts files of OldestFormat and later; others
// are refused.
const (
	FormatVersion = 2
	OldestFormat  = 1 // every write updated all indexes, and no index had a sequence
)

// Open opens the store in the folder path, or an empty one for Memory. It creates a folder and a store that are missing,
// and logs which of the two it did. A file that is empty, damaged, of another format or something else is an error and is
// left as it is. Only one process has a folder open at a time.
//
// log also gets what view functions say and what they do wrong.
//
// As with any kivik client, Close waits for open result sets and feeds, so end those first, by Close or context. It
// also waits for snapshots.
func Open(path string, log zerolog.Logger) (*Client, error) { return open(path, log, false) }

// Convert opens the store as Open does, and converts a file of an older format, which earlier versions refuse from then
// on.
func Convert(path string, log zerolog.Logger) (*Client, error) { return open(path, log, true) }

func open(path string, log zerolog.Logger, converts bool) (*Client, error) {
	file, created, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(file, log, converts); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	f, err := newStoreFile(path, log)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if path != Memory {
		what := "opened the store"
		if created {
			what = "created a new store"
		}
		full, err := filepath.Abs(file.Path())
		if err != nil {
			full = file.Path()
		}
		log.Info().Str("file", full).Msg(what)
	}
	return newClient(file, f, log).overKivik()
}

// Client is an open store: a kivik client that can also be copied, see Snapshot.
type Client struct {
	*kivik.Client
	own *client
}

// overKivik puts kivik around a client. kivik only takes a driver that makes one: ours finds it among its options.
func (c *client) overKivik() (*Client, error) {
	register()
	k, err := kivik.New(driverName, c.path, opened{c})
	return &Client{Client: k, own: c}, err
}

const driverName = "junctor"

var register = sync.OnceFunc(func() { kivik.Register(driverName, kivikDriver{}) })

type kivikDriver struct{}

// NewClient returns the client that is opened.
func (kivikDriver) NewClient(_ string, options driver.Options) (c driver.Client, err error) {
	options.Apply(&c)
	return c, nil
}

type opened struct{ *client }

// Apply sets what NewClient returns.
func (o opened) Apply(target any) {
	if c, ok := target.(*driver.Client); ok {
		*c = o.client
	}
}

// File returns the path of the file of a store in folder.
func File(folder string) string { return filepath.Join(folder, fileName) }

func openFile(path string) (file *bolt.DB, created bool, err error) {
	if path != Memory {
		return openFolder(path)
	}
	folder, err := os.MkdirTemp("", "junctor-")
	if err != nil {
		return nil, false, err
	}
	// An open file needs no name: without one nothing is left behind, however the process ends.
	defer os.RemoveAll(folder)
	return openBolt(File(folder), true)
}

func openFolder(path string) (file *bolt.DB, created bool, err error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, false, err
	}
	file, created, err = openBolt(File(path), false)
	switch {
	case errors.Is(err, boltfile.ErrDamaged):
		return nil, false, fmt.Errorf("%w; restore it from a backup, or move it away to begin with a new store", err)
	case err != nil:
		return nil, false, err
	case created: // a file that is there can still be lost with its folder
		if err := statefile.SyncFolder(filepath.Dir(path)); err != nil {
			return nil, false, errors.Join(err, file.Close())
		}
	}
	return file, created, nil
}

func openBolt(path string, volatile bool) (file *bolt.DB, created bool, err error) {
	file, created, err = boltfile.Open(path, boltfile.Options{
		Bolt: bolt.Options{NoSync: volatile, FreelistType: bolt.FreelistMapType, InitialMmapSize: mapSize},
		Fill: createLayout,
	})
	if err == nil {
		file.AllocSize = growth
	}
	return file, created, err
}

// prepareFile refuses a file that is not a store, and converts or refuses one of an older format.
func prepareFile(file *bolt.DB, log zerolog.Logger, converts bool) error {
	var format int
	err := boltfile.Guard(file.Path(), func() error {
		return file.View(func(tx *bolt.Tx) (err error) {
			format, err = readFormat(tx)
			return err
		})
	})
	if err != nil || format == FormatVersion { // then nothing is written, as the disk may be full
		return err
	}
	if !converts {
		return fmt.Errorf("%s has format %d: copy it, and start \"junctor serve\", which converts it to format %d",
			file.Path(), format, FormatVersion)
	}
	if err := boltfile.Guard(file.Path(), func() error { return file.Update(convert) }); err != nil {
		return err
	}
	log.Warn().Int("from", format).Int("to", FormatVersion).
		Msg("converted the store to another format, which earlier versions of junctor refuse")
	return nil
}

// readFormat returns the format of a store. It refuses a file that is not a store, or has a format that Convert does not
// read.
func readFormat(tx *bolt.Tx) (int, error) {
	meta := tx.Bucket(metaBucket)
	if meta == nil || tx.Bucket(databasesBucket) == nil {
		return 0, fmt.Errorf("%s is not a junctor store: move it away to begin with a new one", tx.DB().Path())
	}
	text := string(meta.Get(formatKey))
	format, err := strconv.Atoi(text)
	if err != nil || format < OldestFormat || format > FormatVersion {
		return 0, fmt.Errorf("%s has format %q, and this junctor reads formats %d to %d: use the junctor that wrote it",
			tx.DB().Path(), text, OldestFormat, FormatVersion)
	}
	return format, nil
}

// convert makes a store of FormatVersion of one of OldestFormat: every index there is has everything that was written.
func convert(tx *bolt.Tx) error {
	databases := tx.Bucket(databasesBucket)
	err := databases.ForEachBucket(func(name []byte) error {
		c := contents{databases.Bucket(name)}
		return c.part(indexesBucket).ForEachBucket(func(index []byte) error {
			return c.index(string(index)).SetSequence(c.updateSeq())
		})
	})
	if err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(formatKey, []byte(strconv.Itoa(FormatVersion)))
}
