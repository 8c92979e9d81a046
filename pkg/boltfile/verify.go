package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// bbolt maps its file into memory and trusts what it finds there: a page number that is out of range ends the process,
// a branch that leads back to itself exhausts the stack, and a free list that names a page in use has the next write
// destroy it. verify finds these beforehand by reading the file the ordinary way. bbolt's own Tx.Check can't: it reads
// the memory map in a goroutine of its own, where a fault ends the process, and it always reads the whole file.
//
// It walks the tree from the root level by level, and so reads all of a small file and the upper levels of a large
// one: maxPages bounds what a start costs. What it does not reach is caught by Guard when it is read.
const maxPages = 16384

// Verify returns what is damaged in a database of size bytes, of which it reads every page in use. It wraps ErrDamaged.
func Verify(file io.ReaderAt, size int64) error {
	if err := verify(file, uint64(size), math.MaxInt); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// The layout of bbolt's file, version 2: see its internal/common. Integers have the machine's byte order.
const (
	magic      = 0xED0CDAED
	version    = 2
	noFreelist = ^uint64(0)

	headerSize  = 16 // of a page: id, flags, count, overflow
	metaSize    = 64 // behind the header; its last 8 bytes are the checksum
	elementSize = 16 // of a branch or leaf
	bucketSize  = 16 // of a bucket's value: root page, sequence

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketFlag   = 0x01 // of a leaf element
)

var order = binary.NativeEndian

// meta is what a meta page says of the file.
type meta struct {
	pageSize, root, freelist, pages, txid uint64
}

// errForeign says that a file is not one of bbolt's.
var errForeign = errors.New("it has no header of a database")

// verify returns what is damaged in a file of size bytes, of which it reads about limit pages.
func verify(file io.ReaderAt, size uint64, limit int) error {
	m, err := readMeta(file, size)
	if err != nil {
		return err
	}
	if m.pages > size/m.pageSize {
		return fmt.Errorf("it is cut off: %d of at least %d bytes are there", size, m.pages*m.pageSize)
	}
	w := &walk{file: file, meta: m, used: map[uint64]bool{0: true, 1: true}}
	if err := w.freelist(); err != nil {
		return err
	}
	return w.tree(limit)
}

// readMeta returns the newer of the two meta pages. One of them may be damaged: that is how bbolt survives a crash.
func readMeta(file io.ReaderAt, size uint64) (meta, error) {
	first, ok := metaAt(file, 0)
	pageSizes := []uint64{first.pageSize}
	if !ok {
		pageSizes = nil
		for s := uint64(1024); s <= 1<<24 && s+headerSize+metaSize <= size; s *= 2 {
			pageSizes = append(pageSizes, s)
		}
	}
	for _, s := range pageSizes {
		second, valid := metaAt(file, s)
		if valid && second.pageSize == s && (!ok || second.txid > first.txid) {
			return second, nil
		}
	}
	if !ok {
		return meta{}, errForeign
	}
	return first, nil
}

func metaAt(file io.ReaderAt, offset uint64) (m meta, ok bool) {
	raw := make([]byte, headerSize+metaSize)
	if _, err := file.ReadAt(raw, int64(offset)); err != nil {
		return meta{}, false
	}
	raw = raw[headerSize:]
	sum := fnv.New64a()
	_, _ = sum.Write(raw[:metaSize-8])
	if order.Uint32(raw) != magic || order.Uint32(raw[4:]) != version || order.Uint64(raw[56:]) != sum.Sum64() {
		return meta{}, false
	}
	m = meta{
		pageSize: uint64(order.Uint32(raw[8:])),
		root:     order.Uint64(raw[16:]),
		freelist: order.Uint64(raw[32:]),
		pages:    order.Uint64(raw[40:]),
		txid:     order.Uint64(raw[48:]),
	}
	return m, m.pageSize >= 1024 && m.pageSize <= 1<<24
}

// walk visits the pages of a file.
type walk struct {
	file io.ReaderAt
	meta meta
	used map[uint64]bool
	read int // how many pages
	next []step
}

// step is a page still to visit, and between which keys its own have to be.
type step struct {
	page         uint64
	least, limit []byte // nil is no bound
}

// page is a page with those that it overflows to.
type page struct {
	id    uint64
	flags uint16
	count int
	raw   []byte // all of it, the header too
}

// take reads a page that nothing else has led to.
func (w *walk) take(id uint64) (page, error) {
	head := make([]byte, headerSize)
	if id < 2 || id >= w.meta.pages {
		return page{}, fmt.Errorf("page %d does not exist", id)
	}
	if _, err := w.file.ReadAt(head, int64(id*w.meta.pageSize)); err != nil {
		return page{}, fmt.Errorf("page %d: %w", id, err)
	}
	p := page{id: id, flags: order.Uint16(head[8:]), count: int(order.Uint16(head[10:]))}
	overflow := uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || overflow >= w.meta.pages-id {
		return page{}, fmt.Errorf("page %d is damaged", id)
	}
	for n := id; n <= id+overflow; n++ {
		if w.used[n] {
			return page{}, fmt.Errorf("page %d is used twice", n)
		}
		w.used[n] = true
	}
	w.read += int(1 + overflow)
	p.raw = make([]byte, (1+overflow)*w.meta.pageSize)
	if _, err := w.file.ReadAt(p.raw, int64(id*w.meta.pageSize)); err != nil {
		return page{}, fmt.Errorf("page %d: %w", id, err)
	}
	return p, nil
}

// freelist notes the free pages, which the tree must not lead to.
func (w *walk) freelist() error {
	if w.meta.freelist == noFreelist {
		return nil
	}
	p, err := w.take(w.meta.freelist)
	if err != nil {
		return err
	}
	count, at := uint64(p.count), headerSize
	if count == 0xFFFF {
		count, at = order.Uint64(p.raw[at:]), at+8
	}
	if p.flags != freelistPage || count > uint64(len(p.raw)-at)/8 {
		return fmt.Errorf("page %d, the list of free pages, is damaged", p.id)
	}
	for ; count > 0; count, at = count-1, at+8 {
		id := order.Uint64(p.raw[at:])
		if id < 2 || id >= w.meta.pages || w.used[id] {
			return fmt.Errorf("page %d, the list of free pages, is damaged", p.id)
		}
		w.used[id] = true
	}
	return nil
}

// tree visits the pages of all buckets, level by level, or if there is no limit leaf by leaf, which takes less memory.
func (w *walk) tree(limit int) error {
	w.next = []step{{page: w.meta.root}}
	for len(w.next) > 0 && w.read < limit {
		var s step
		if last := len(w.next) - 1; limit == math.MaxInt {
			s, w.next = w.next[last], w.next[:last]
		} else {
			s, w.next = w.next[0], w.next[1:]
		}
		p, err := w.take(s.page)
		if err != nil {
			return err
		}
		if err := w.visit(p, s); err != nil {
			return fmt.Errorf("page %d is damaged: %w", p.id, err)
		}
	}
	return nil
}

var errElement = errors.New("an entry leads outside of it")

// visit checks the elements of a branch or leaf, and notes where they lead.
func (w *walk) visit(p page, s step) error {
	switch {
	case p.flags != branchPage && p.flags != leafPage:
		return errors.New("it is neither a branch nor a leaf")
	case p.flags == branchPage && p.count == 0:
		return errors.New("it is an empty branch")
	case headerSize+p.count*elementSize > len(p.raw):
		return errElement
	}
	last := s.least
	for i := range p.count {
		key, value, child, err := p.element(i)
		if err != nil {
			return err
		}
		after := bytes.Compare(key, last)
		if after < 0 || after == 0 && i > 0 || s.limit != nil && bytes.Compare(key, s.limit) >= 0 {
			return errors.New("its keys are out of order")
		}
		last = key
		if p.flags == branchPage {
			if i > 0 {
				w.next[len(w.next)-1].limit = key
			}
			w.next = append(w.next, step{page: child, least: key, limit: s.limit})
		} else if err := w.bucket(p, i, value); err != nil {
			return err
		}
	}
	return nil
}

// element returns what the i-th entry of a page holds: a key with a value, or the page with the keys from it on.
func (p page) element(i int) (key, value []byte, child uint64, err error) {
	at := uint64(headerSize + i*elementSize)
	raw := p.raw[at:]
	var position, keySize, valueSize uint64
	if p.flags == branchPage {
		position, keySize = uint64(order.Uint32(raw)), uint64(order.Uint32(raw[4:]))
		child = order.Uint64(raw[8:])
	} else {
		position, keySize = uint64(order.Uint32(raw[4:])), uint64(order.Uint32(raw[8:]))
		valueSize = uint64(order.Uint32(raw[12:]))
	}
	if position < elementSize || keySize == 0 || position+keySize+valueSize > uint64(len(raw)) {
		return nil, nil, 0, errElement
	}
	return raw[position : position+keySize], raw[position+keySize : position+keySize+valueSize], child, nil
}

// bucket notes the root of the bucket that the i-th entry of a leaf may be. A small one is kept in the entry.
func (w *walk) bucket(p page, i int, value []byte) error {
	if order.Uint32(p.raw[headerSize+i*elementSize:])&bucketFlag == 0 {
		return nil
	}
	if len(value) < bucketSize {
		return errElement
	}
	if root := order.Uint64(value); root != 0 {
		w.next = append(w.next, step{page: root})
		return nil
	}
	inline := page{id: p.id, raw: value[bucketSize:]}
	if len(inline.raw) < headerSize {
		return errElement
	}
	inline.flags, inline.count = order.Uint16(inline.raw[8:]), int(order.Uint16(inline.raw[10:]))
	if inline.flags != leafPage {
		return errors.New("a bucket in it is damaged")
	}
	return w.visit(inline, step{})
}
