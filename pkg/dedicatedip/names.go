package dedicatedip

import (
	"bytes"

	"github.com/tidwall/btree"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// name is a zone or a host of the pool.
type name struct {
	text    string
	key     []byte   // orders names as CouchDB collates texts
	entries int      // how many have it
	free    *entries // those of a zone that can be assigned, by id
}

// names are the zones or the hosts of the pool, in the order of the views.
type names struct {
	byText   map[string]*name
	ordered  *btree.BTreeG[*name]
	version  uint64 // counts changes, from 1
	collator *collate.Collator
}

func newNames() *names {
	ordered := btree.NewBTreeGOptions(func(a, b *name) bool {
		if order := bytes.Compare(a.key, b.key); order != 0 {
			return order < 0
		}
		return a.text < b.text
	}, noLocks)
	return &names{byText: map[string]*name{}, ordered: ordered, version: 1, collator: collate.New(language.Und)}
}

// name answers what is kept under a text, adding it where it is new.
func (n *names) name(text string) *name {
	known := n.byText[text]
	if known == nil {
		known = &name{text: text, key: n.key(text), free: byID()}
		n.byText[text] = known
		n.ordered.Set(known)
		n.version++
	}
	return known
}

// drop takes note that one entry less has a name.
func (n *names) drop(of *name) {
	if of.entries--; of.entries == 0 {
		delete(n.byText, of.text)
		n.ordered.Delete(of)
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

// key answers bytes that compare as CouchDB collates texts: by the root collation of Unicode.
func (n *names) key(text string) []byte {
	var buffer collate.Buffer
	return bytes.Clone(n.collator.KeyFromString(&buffer, text))
}
