package embedded

import (
	"encoding/binary"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// The file is a tree of buckets. Some use their sequence as a counter.
//
//	meta                     "format": the version of this layout
//	databases
//	  NAME
//	    docs                 document id: record
//	    deleted              document id: record of its tombstone
//	    changes              update sequence, 8 bytes: document id; sequence: update_seq
//	    attachments          document id, name: content
//	    designs              design document id: name of its index, or nothing where it has no views
//	    indexes
//	      INDEX              "source": the views; sequence: the update sequence it has reached
//	        emitted          document id: the keys of its rows
//	        rows
//	          VIEW           key, document id, number: row
//
// Files of older versions also have counts of documents and rows, a bucket "local", a key "born" in each database, a
// sequence of indexes, and perhaps indexes that designs does not name. Nothing reads these.
var (
	metaBucket        = []byte("meta")
	databasesBucket   = []byte("databases")
	docsBucket        = []byte("docs")
	deletedBucket     = []byte("deleted")
	changesBucket     = []byte("changes")
	attachmentsBucket = []byte("attachments")
	designsBucket     = []byte("designs")
	indexesBucket     = []byte("indexes")
	emittedBucket     = []byte("emitted")
	rowsBucket        = []byte("rows")

	formatKey = []byte("format")
	sourceKey = []byte("source")
)

func createLayout(tx *bolt.Tx) error {
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	if err := meta.Put(formatKey, []byte(strconv.Itoa(FormatVersion))); err != nil {
		return err
	}
	_, err = tx.CreateBucket(databasesBucket)
	return err
}

// contents is one database inside a transaction.
type contents struct {
	*bolt.Bucket
}

func openContents(tx *bolt.Tx, name string) (contents, error) {
	b := tx.Bucket(databasesBucket).Bucket([]byte(name))
	if b == nil {
		return contents{}, errNoDatabase
	}
	return contents{b}, nil
}

func createContents(tx *bolt.Tx, name string) error {
	b, err := tx.Bucket(databasesBucket).CreateBucket([]byte(name))
	if err != nil {
		return err
	}
	for _, part := range [][]byte{docsBucket, deletedBucket, changesBucket, attachmentsBucket, designsBucket,
		indexesBucket} {
		if _, err := b.CreateBucket(part); err != nil {
			return err
		}
	}
	return nil
}

// part returns a bucket that every database has. It panics where there is none, see boltfile.Guard.
func (c contents) part(name []byte) *bolt.Bucket {
	b := c.Bucket.Bucket(name)
	if b == nil {
		panic(errCorrupt)
	}
	return dense(b)
}

// dense has bbolt fill the pages of a bucket that it splits, instead of leaving half of each free: keys mostly come
// in order, addresses as much as sequences, and then nothing ever fills the other half.
func dense(b *bolt.Bucket) *bolt.Bucket {
	if b != nil {
		b.FillPercent = 0.9
	}
	return b
}

// record reads what is stored under a document id, a tombstone too; nil is nothing. It is valid in the
// transaction only.
func (c contents) record(id string) (*record, error) {
	raw := c.part(docsBucket).Get([]byte(id))
	if raw == nil {
		raw = c.part(deletedBucket).Get([]byte(id))
	}
	if raw == nil {
		return nil, nil
	}
	return decodeRecord(raw)
}

func (c contents) updateSeq() uint64 {
	return c.part(changesBucket).Sequence()
}

// put stores a record as the newest change and takes the place of the one before.
func (c contents) put(id string, r, before *record) (err error) {
	seqs := c.part(changesBucket)
	if before != nil {
		if err := seqs.Delete(seqKey(before.seq)); err != nil {
			return err
		}
	}
	if r.seq, err = seqs.NextSequence(); err != nil {
		return err
	}
	if err := seqs.Put(seqKey(r.seq), []byte(id)); err != nil {
		return err
	}
	if before != nil && before.deleted != r.deleted {
		if err := c.part(before.bucket()).Delete([]byte(id)); err != nil {
			return err
		}
	}
	return c.part(r.bucket()).Put([]byte(id), r.encode())
}

func seqKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, seq)
}
