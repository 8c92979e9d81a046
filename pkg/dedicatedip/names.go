package dedicatedip

import (
	"bytes"
	"sync"

	"github.com/tidwall/btree"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// name is a zone or a host of the pool.
type name struct {
	text    string
	key     []byte // orders names as CouchDB collates texts
	entries int    // how many have it
	free    order  // those of a zone that can be assigned, by id
}

// names are the zones or the hosts of the pool, in the order of the views.
type names struct {
	byText    map[string]*name
	ordered   *btree.BTreeG[*name]
	version   uint64 // counts changes, from 1
	collating sync.Mutex
	collator  *collate.Collator
	byID      func(a, b ref) int
}

func newNames(byID func(a, b ref) int) *names {
	ordered := btree.NewBTreeGOptions(func(a, b *name) bool {
		if order := bytes.Compare(a.key, b.key); order != 0 {
			return order < 0
		}
		return a.text < b.text
	}, noLocks)
	return &names{byText: map[string]*name{}, ordered: ordered, version: 1, collator: collate.New(language.Und),
		byID: byID}
}

// take answers the name of that text for one entry more.
func (n *names) take(text string) *name {
	known := n.byText[text]
	if known == nil {
		known = &name{text: text, key: n.key(text), free: newOrder(n.byID)}
		n.byText[text] = known
		n.ordered.Set(known)
		n.version++
	}
	known.entries++
	return known
}

// drop takes note that one entry less has a name.
func (n *names) drop(text string) {
	known := n.byText[text]
	if known.entries--; known.entries == 0 {
		delete(n.byText, text)
		n.ordered.Delete(known)
		n.version++
	}
}

// texts lists all names in order.
func (n *names) texts() []string {
	list := make([]string, 0, n.ordered.Len())
	n.ordered.Scan(func(each *name) bool {
		list = append(list, each.text)
		return true
	})
	return list
}

// like answers a name that stands in order where a text does.
func (n *names) like(text string) *name {
	if known := n.byText[text]; known != nil {
		return known
	}
	return &name{text: text, key: n.key(text)}
}

// key answers bytes that compare as CouchDB collates texts: by the root collation of Unicode.
func (n *names) key(text string) []byte {
	n.collating.Lock() // a collator serves one at a time, and readers of the table come at once
	defer n.collating.Unlock()
	var buffer collate.Buffer
	return bytes.Clone(n.collator.KeyFromString(&buffer, text))
}
