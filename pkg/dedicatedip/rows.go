package dedicatedip

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// rows are what is known of the documents of the pool, packed: a million of them take a hundred megabytes, and as there
// are no pointers in them, none of the garbage collector's time.
type rows struct {
	chunks [][]row
	idle   []ref          // given back
	ids    map[ref]string // of those that are not spelled as their address is
	revs   map[ref]string // of those that are not what a CouchDB makes
	words  words
}

// ref finds a row; none finds nothing. Once a row is given back, another may have its ref.
type ref uint32

const none ref = 0

// row is what is known of one document.
type row struct {
	addr       [16]byte // IPv4 as IPv4-mapped IPv6; zero for what is no address
	hash       [16]byte // of the revision
	generation uint32   // of the revision
	zone, host word
	status     word
	holder     word
	twin       ref // the next spelling of the same address, by id
	address    bool
	odd        bool // it has its id in ids, or its revision in revs
}

// A chunk is so many rows: growing costs no copy of what there is.
const (
	chunkBits = 12
	chunkSize = 1 << chunkBits
)

func newRows() rows {
	return rows{ids: map[ref]string{}, revs: map[ref]string{}, words: newWords()}
}

func (r *rows) at(at ref) *row { return &r.chunks[at>>chunkBits][at&(chunkSize-1)] }

// put packs an entry.
func (r *rows) put(e entry) ref {
	at := r.room()
	row := r.at(at)
	row.address = e.addr.IsValid()
	if row.address {
		row.addr = e.addr.As16()
	}
	row.zone, row.host = r.words.take(e.zone), r.words.take(e.host)
	row.status, row.holder = r.words.take(e.status), r.words.take(e.holder)
	var packed bool
	if row.generation, row.hash, packed = packRevision(e.rev); !packed {
		r.revs[at], row.odd = e.rev, true
	}
	if !row.address || e.addr.String() != e.id {
		r.ids[at], row.odd = e.id, true
	}
	return at
}

// room finds a place that nobody has. The first is kept free: its ref is none.
func (r *rows) room() (at ref) {
	if len(r.idle) == 0 {
		first := len(r.chunks) * chunkSize
		r.chunks = append(r.chunks, make([]row, chunkSize))
		for n := first + chunkSize - 1; n >= max(first, 1); n-- {
			r.idle = append(r.idle, ref(n))
		}
	}
	last := len(r.idle) - 1
	at, r.idle = r.idle[last], r.idle[:last]
	return at
}

// drop gives a row back.
func (r *rows) drop(at ref) {
	old := r.at(at)
	for _, w := range [...]word{old.zone, old.host, old.status, old.holder} {
		r.words.drop(w)
	}
	if old.odd {
		delete(r.ids, at)
		delete(r.revs, at)
	}
	*r.at(at) = row{}
	r.idle = append(r.idle, at)
}

// entry unpacks a row.
func (r *rows) entry(at ref) entry {
	row := r.at(at)
	e := entry{id: r.id(at), rev: r.rev(at), zone: r.words.text(row.zone), host: r.words.text(row.host),
		status: r.words.text(row.status), holder: r.words.text(row.holder)}
	if row.address {
		e.addr = row.netip()
	}
	return e
}

func (r *row) netip() netip.Addr { return netip.AddrFrom16(r.addr).Unmap() }

// longestAddress is how many bytes an address takes in its canonical form.
const longestAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")

func (r *rows) id(at ref) string {
	return string(r.appendID(make([]byte, 0, longestAddress), at))
}

func (r *rows) appendID(to []byte, at ref) []byte {
	row := r.at(at)
	if row.odd {
		if id, ok := r.ids[at]; ok {
			return append(to, id...)
		}
	}
	return row.netip().AppendTo(to)
}

func (r *rows) hasID(at ref, id string) bool {
	var own [longestAddress]byte
	return string(r.appendID(own[:0], at)) == id
}

// reaches reports whether a row has an id, or comes after it.
func (r *rows) reaches(at ref, id string) bool {
	var own [longestAddress]byte
	return string(r.appendID(own[:0], at)) >= id
}

// compareIDs orders rows by their ids, byte by byte.
func (r *rows) compareIDs(a, b ref) int {
	var x, y [longestAddress]byte
	return bytes.Compare(r.appendID(x[:0], a), r.appendID(y[:0], b))
}

// compareAddresses orders rows as ipaddr.Compare orders their ids.
func (r *rows) compareAddresses(a, b ref) int {
	return cmp.Or(r.at(a).netip().Compare(r.at(b).netip()), r.compareIDs(a, b))
}

func (r *rows) rev(at ref) string {
	row := r.at(at)
	if row.odd {
		if rev, ok := r.revs[at]; ok {
			return rev
		}
	}
	text := make([]byte, 0, len("1234567890-")+2*len(row.hash))
	text = append(strconv.AppendUint(text, uint64(row.generation), 10), '-')
	return string(hex.AppendEncode(text, row.hash[:]))
}

// hasRev is what rev is compared with, without making its text.
func (r *rows) hasRev(at ref, rev string) bool {
	generation, hash, packed := packRevision(rev)
	if !packed {
		own, ok := r.revs[at]
		return ok && own == rev
	}
	row := r.at(at)
	return row.generation == generation && row.hash == hash
}

func (r *rows) generation(at ref) int {
	if row := r.at(at); !row.odd || row.generation > 0 {
		return int(row.generation)
	}
	return generation(r.revs[at])
}

// packRevision reads a revision as CouchDB writes it, a number and 32 hexadecimal digits. Any other is not packed.
func packRevision(rev string) (generation uint32, hash [16]byte, packed bool) {
	number, digits, _ := strings.Cut(rev, "-")
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || number[0] == '0' || len(digits) != 2*len(hash) || strings.ToLower(digits) != digits {
		return 0, hash, false
	}
	if _, err := hex.Decode(hash[:], []byte(digits)); err != nil {
		return 0, hash, false
	}
	return uint32(n), hash, true
}
