package poolindex

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"
	"sync"

	"github.com/tidwall/btree"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// nameIndex has the zones or the hosts of the pool, in the order of the views: by collation, and those that collation
// holds equal by their percent-encoded names.
type nameIndex struct {
	byText    map[string]*name
	ordered   *btree.BTreeG[*name]
	collating sync.Mutex
	collator  *collate.Collator
}

// name is a zone or a host.
type name struct {
	text       string
	key, exact []byte // order names
	entries    int    // how many have it
	addresses  tree   // by address
	available  tree   // by id
}

func newNameIndex() *nameIndex {
	return &nameIndex{byText: map[string]*name{}, ordered: newTree(compareNames), collator: collate.New(language.Und)}
}

func compareNames(a, b *name) int {
	return cmp.Or(bytes.Compare(a.key, b.key), bytes.Compare(a.exact, b.exact))
}

// add counts one entry more of a name.
func (n *nameIndex) add(text string) *name {
	known := n.byText[text]
	if known == nil {
		known = n.newName(text)
		known.addresses, known.available = newTree(compareAddresses), newTree(compareIDs)
		n.byText[text] = known
		n.ordered.Set(known)
	}
	known.entries++
	return known
}

// remove counts one entry less of a name.
func (n *nameIndex) remove(text string) *name {
	known := n.byText[text]
	if known.entries--; known.entries == 0 {
		delete(n.byText, text)
		n.ordered.Delete(known)
	}
	return known
}

// texts returns all names in order, without the empty one.
func (n *nameIndex) texts() []string {
	list := make([]string, 0, n.ordered.Len())
	n.ordered.Scan(func(each *name) bool {
		if each.text != "" {
			list = append(list, each.text)
		}
		return true
	})
	return list
}

// from visits names in order, from the place of a name on, which need not be there.
func (n *nameIndex) from(text string, visit func(*name) (more bool)) {
	start := n.byText[text]
	if start == nil {
		start = n.newName(text)
	}
	n.ordered.Ascend(start, visit)
}

func (n *nameIndex) newName(text string) *name {
	n.collating.Lock() // a collator is not safe for concurrent use, and readers of the index are concurrent
	defer n.collating.Unlock()
	var buffer collate.Buffer
	key := bytes.Clone(n.collator.KeyFromString(&buffer, text))
	exact := bytes.Clone(n.collator.KeyFromString(&buffer, EncodeName(text)))
	return &name{text: text, key: key, exact: exact}
}

// SortNames returns names, each once and none that is empty, in the order of the views.
func SortNames(names []string) []string {
	sorted := newNameIndex()
	for _, name := range names {
		sorted.add(name)
	}
	return sorted.texts()
}

// EncodeName is JavaScript's encodeURIComponent. In the keys of our views it stands behind a name, to tell names
// apart that CouchDB's collation holds equal: it leaves nothing that collation ignores.
func EncodeName(text string) string { return leftAlone.Replace(url.QueryEscape(text)) }

// leftAlone turns what url.QueryEscape returns into what encodeURIComponent does, which leaves more alone and encodes a
// space as any other byte.
var leftAlone = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")
