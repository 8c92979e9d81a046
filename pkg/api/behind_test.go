package api_test

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/api"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/store"
	"junctor/pkg/testutil"
)

// gated is a store whose feed tells something only while its gate is not locked. How current it was before that does
// not count any more.
type gated struct {
	*store.Store
	gate      sync.RWMutex
	opened    time.Time
	current   atomic.Pointer[func(asOf time.Time)] // of the feed, once it was current
	afterView atomic.Pointer[func()]               // is called once, by the next view that was read
}

func (g *gated) View(
	ctx context.Context, db, design, view string, q store.Query, each func(store.Row) error,
) error {
	err := g.Store.View(ctx, db, design, view, q, each)
	if after := g.afterView.Swap(nil); after != nil {
		(*after)()
	}
	return err
}

func (g *gated) Changes(
	ctx context.Context, db, since string, each func(store.Change) error, current func(time.Time),
) error {
	return g.Store.Changes(ctx, db, since, func(c store.Change) error {
		g.gate.RLock()
		defer g.gate.RUnlock()
		return each(c)
	}, func(asOf time.Time) {
		g.gate.RLock()
		defer g.gate.RUnlock()
		if asOf.After(g.opened) {
			current(asOf)
			g.current.Store(&current)
		}
	})
}

// followStaleness is far more than a busy machine may stop a feed for.
const followStaleness = time.Hour

// cut has the feed tell nothing any more, until tell is called. What it told before is too old from now on.
func (g *gated) cut() (tell func()) {
	g.gate.Lock()
	if current := g.current.Load(); current != nil {
		(*current)(time.Now().Add(-2 * followStaleness))
	}
	return sync.OnceFunc(func() {
		g.opened = time.Now()
		g.gate.Unlock()
	})
}

// follow has a server's pool follow a store that tells what it is to.
func (g *gated) follow(t *testing.T) func(*api.Config) {
	return func(c *api.Config) {
		c.Pool = dedicatedip.New(g, dedicatedip.Options{Zone: "local", Now: c.Now, Log: c.Log})
		ctx, cancel := context.WithCancel(context.Background())
		var following sync.WaitGroup
		following.Go(func() { c.Pool.Follow(ctx, followStaleness) })
		t.Cleanup(func() {
			cancel()
			following.Wait()
		})
	}
}

// TestBehind: while the feed tells nothing, as while the pool is still being read, answers are right all the same, and
// say that they come from the store.
func TestBehind(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	other := newService(t, s)
	other.create("10.0.0.1", "10.0.0.2")
	g := &gated{Store: s}
	tell := g.cut()
	defer func() { tell() }()
	b := &behind{service: newService(t, s, g.follow(t)), other: other}
	b.compare(t, "store")
	tell()
	b.compare(t, "")

	tell = g.cut()
	other.createIn("elsewhere", "10.9.0.1")
	other.want(other.as("A", "POST", ipsOfA, `{"data":{"ips":["10.0.0.1","10.9.0.1"]}}`), 200)
	other.want(other.as("M", "DELETE", "/v2/ips/10.0.0.2", ""), 200)
	b.compare(t, "store")
	b.want(b.as("A", "DELETE", ipsOfA+"/10.0.0.1", ""), 200) // one's own writes are no different
	b.compare(t, "store")
	tell()
	b.compare(t, "")
	b.lines(t)
}

// TestReadFromIsOfTheRead: B9. X-Read-From says where a response was read, whatever has become of the memory since.
func TestReadFromIsOfTheRead(t *testing.T) {
	t.Parallel()
	s := kazooTemplate.Open(t)
	g := &gated{Store: s}
	tell := g.cut()
	defer tell()
	b := &behind{service: newService(t, s, g.follow(t)), other: newService(t, s)}
	testutil.Eventually(t, "reads from the store", func() bool { return b.readFrom() == "store" })
	catchUp := func() {
		tell()
		testutil.Eventually(t, "reads from memory", func() bool { return b.readFrom() == "" })
	}
	g.afterView.Store(&catchUp)
	if from := b.readFrom(); from != "store" || g.afterView.Load() != nil {
		t.Errorf("what was read from the store is from %q", from)
	}
}

// behind is a server whose feed is cut at times, beside one that asks the store always.
type behind struct {
	*service
	other *service
}

func (b *behind) readFrom() string {
	return b.as("A", "GET", ipsOfA+"/zones", "").header.Get("X-Read-From")
}

// compare wants every read to be answered from there, as the other server answers it.
func (b *behind) compare(t *testing.T, from string) {
	t.Helper()
	testutil.Eventually(t, "reads from "+strconv.Quote(from), func() bool { return b.readFrom() == from })
	before := b.bypassed()
	for name, root := range map[string]string{"A": ipsOfA, "M": "/v2/ips"} {
		for _, path := range []string{"", "?zone=elsewhere", "?page_size=1", "?quantity=1", "/assigned", "/zones", "/hosts",
			"/10.0.0.1", "/10.9.0.1", "/10.0.0.2", "/9.9.9.9"} {
			got, want := b.as(name, "GET", root+path, ""), b.other.as(name, "GET", root+path, "")
			if got.status != want.status || jsonText(got.data()) != jsonText(want.data()) {
				t.Errorf("reads from %q: %s%s\ngot  %d %s\nwant %d %s", from, root, path, got.status, got.text,
					want.status, want.text)
			}
			if header := got.header.Get("X-Read-From"); header != from {
				t.Errorf("%s%s is from %q, want %q", root, path, header, from)
			}
			if header := want.header.Get("X-Read-From"); header != "" {
				t.Errorf("%s%s of a server without a memory is from %q", root, path, header)
			}
		}
	}
	if went := b.bypassed() - before; (went > 0) != (from == "store") {
		t.Errorf("reads from %q: %d more went to the store", from, went)
	}
}

var bypassedLine = regexp.MustCompile(`(?m)^junctor_memory_bypassed_total (\d+)$`)

// bypassed is what the metrics say.
func (b *behind) bypassed() int {
	text := b.want(b.send("GET", "/metrics", ""), 200).text
	match := bypassedLine.FindStringSubmatch(text)
	if match == nil {
		b.Fatalf("not counted:\n%s", text)
	}
	n, _ := strconv.Atoi(match[1])
	return n
}

// lines checks that the log says it once each time, and why.
func (b *behind) lines(t *testing.T) {
	t.Helper()
	var why []string
	for _, line := range b.log.lines(t) {
		if text, ok := line["why"].(string); ok {
			why = append(why, text)
		}
	}
	if len(why) != 2 || why[0] != "the pool is being read" || !strings.HasPrefix(why[1], "the change feed is behind by ") {
		t.Errorf("the log says %q", why)
	}
}
