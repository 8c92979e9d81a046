package cluster

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"junctor/pkg/document"
)

// comparison is a registry whose table is told the same as a model.
type comparison struct {
	testing.TB
	*Registry
	model  *naive
	random *rand.Rand
	docs   []document.Document // made up so far
}

// TestTableIsTheModel tells both of random news, and compares what they answer after each.
func TestTableIsTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c := &comparison{t, New(nil, nil, Options{}), newNaive(), rand.New(rand.NewPCG(seed, 1)), nil}
			c.read(0)
			for range 60 {
				before := c.answers()
				text := jsonText(c, before)
				if c.random.IntN(8) == 0 {
					c.read(c.random.IntN(8))
				} else {
					c.apply()
				}
				if after := jsonText(c, before); after != text {
					c.Fatalf("an answer has changed\nfrom %s\nto   %s", text, after)
				}
			}
			c.emptied()
		})
	}
}

// document makes one up, or answers one that there was before.
func (c *comparison) document() document.Document {
	if len(c.docs) > 0 && c.random.IntN(4) == 0 {
		return oneOf(c.random, c.docs)
	}
	doc := modelDocument(c.random, len(c.docs))
	c.docs = append(c.docs, doc)
	return doc
}

func (c *comparison) apply() {
	doc := c.document()
	c.table.apply(doc)
	c.model.apply(doc)
}

// read is a reading of a store that has some documents, while others are applied. It may break off.
func (c *comparison) read(count int) {
	since := c.table.now()
	c.model.begin()
	for range count {
		if c.random.IntN(3) == 0 {
			c.apply()
		}
		doc := c.document()
		c.table.restore(since, doc)
		c.model.restore(doc)
	}
	if count == 0 || c.random.IntN(4) > 0 {
		c.table.forget(since)
		c.model.forget()
	}
}

// answers looks everything up, compares it with what the model says, and answers it.
func (c *comparison) answers() (all []any) {
	same := func(got, want any, err error, asked ...string) {
		if all = append(all, got); err != nil || !reflect.DeepEqual(got, want) {
			c.Fatalf("%q after %d documents, %v\ngot  %v\nwant %v", asked, len(c.docs), err, got, want)
		}
	}
	for _, ip := range modelSpellings {
		found, err := c.Lookup(ip, "")
		same(found, c.model.lookup(ip, Inbound, Outbound), err, ip)
		for _, direction := range directions {
			found, err := c.Lookup(ip, direction)
			same(found, c.model.lookup(ip, direction), err, ip, direction)
		}
	}
	for _, id := range modelClusters {
		for _, direction := range directions {
			zone := oneOf(c.random, modelZones)
			found, err := c.Addresses(id, direction, zone)
			same(found, c.model.addresses(id, direction, zone), err, id, direction, zone)
		}
	}
	return all
}

// emptied checks that nothing is left of what was forgotten, and that numbers were used again.
func (c *comparison) emptied() {
	c.read(0)
	t := &c.table
	left := len(t.numbers)
	for _, h := range t.holders {
		left += len(h.first) + len(h.others)
	}
	if left != 0 || len(t.vacant) != len(t.members) || len(t.members) > len(modelClusters) {
		c.Errorf("%d entries are left, and %d of %d numbers are vacant", left, len(t.vacant), len(t.members))
	}
}

// TestTableIsSmall bounds what an address costs in memory, and the garbage collector on account of it. Others would
// be measured, too, so it is not parallel.
func TestTableIsSmall(t *testing.T) {
	const clusters, each = 8334, 12
	before := heap()
	r := New(nil, nil, Options{})
	for i := range clusters {
		fill(r, i)
	}
	after := heap()
	size := float64(after.HeapAlloc-before.HeapAlloc) / (clusters * each)
	objects := float64(after.HeapObjects-before.HeapObjects) / clusters
	t.Logf("%.0f bytes an address, %.2f objects a cluster", size, objects)
	if size > 150 || objects > 2 {
		t.Error("that is too much")
	}
	runtime.KeepAlive(r)
}

// heap answers what is in use.
func heap() (stats runtime.MemStats) {
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats
}
