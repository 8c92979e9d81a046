package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/go-kivik/kivik/v4/couchdb/chttp"

	"junctor/pkg/document"
	"junctor/pkg/fault"
	"junctor/pkg/kazoo"
	"junctor/pkg/requesttime"
	"junctor/pkg/store/couchhttp"
)

// A CouchDB cluster keeps each document on several nodes, and each node accepts the first write over a revision that
// reaches it. So two writes over one revision can both be accepted, by different nodes. CouchDB keeps both revisions as
// a conflict and chooses the same winner on all nodes: not the one that most nodes have accepted, but the longer branch,
// and of equal ones the larger hash. A write is decided in these steps:
//
//  1. The document is signed: equal writes of two writers would be one revision, and both would take it for theirs.
//  2. It is written to all nodes (w=n). Once all have accepted it (201), no node accepts another one over the same
//     revision, and the write is done.
//  3. If some have not (202), because they have accepted another one or are away, a majority has to be connected, and
//     the leaves of the document are read from all nodes (r=n). A loser removes its revision and returns fault.Conflict.
//  4. A winner is sealed: it is written once more, over itself, and a majority has to accept that (w=n/2+1).
//  5. The leaves are read again. If another branch may have been sealed as well, the outcome is open.
//  6. The winner is sealed a second time, and the write is done.
//  7. If that takes longer than confirmTime, as with a node that hangs, or there is no majority, the outcome is open:
//     fault.DatastorePartial. What becomes of the write is found out later, see unconfirmed.go.
//
// Step 3 is enough only while no node connects or disconnects. Nodes come back before they have caught up, and when one
// comes back the others may lose each other for a moment (Erlang's global disconnects nodes that see different
// partitions). A writer that reads leaves in that moment sees only its own. Assume that a node that accepts a writer's
// first and second seal has taken part in the reading in between. Then:
//
//   - At most one of two branches is reported as stored. Both writers seal before they read again, so the one whose
//     first seal came later finds the other one's: at least two revisions that its own branch does not have, or their
//     tombstone. It does not go on.
//   - What was reported as stored wins. It is at least three revisions longer than what both went on from. The other
//     branch has two at most: the write and the first seal, after which its writer does not go on. On the smaller side
//     of a partition, where nothing is sealed, they are two writes over each other. (Each process there makes one write
//     before it notices.)
//   - One branch stays. A revision is removed only by a writer that has seen one that CouchDB prefers, so the one that
//     CouchDB prefers to all is never removed.
//
// TestWritersOfAPartitionedCluster tries this. What is left is a writer that goes on from a revision whose outcome is
// open: if that loses between this writer's reading and its writing, all nodes may accept a write over a revision that
// has lost.
//
// A tombstone can't be written over: it is pushed to all nodes instead, and without all of them its write is a
// fault.DatastorePartial.
//
// So with one node of three down, of which CouchDB knows, writes go on. With a node that hangs they are refused until
// CouchDB gives it up, which it does after a minute (net_ticktime), or the node responds again.
//
// Documents in accounts' databases are neither signed nor sealed: they are derived from others, and written again until
// they are right. Nor are design documents, whose text Kazoo compares.

// FieldWriter is the private field that a write to a CouchDB cluster is signed with.
const FieldWriter = "pvt_writer"

// confirmTime bounds a write to a cluster, until it is decided.
const confirmTime = 4 * time.Second

// allWritesTime bounds all writes to a cluster that a client waits for, from the beginning of its request. None begins in
// the last leastTime of it: its outcome would be open only because it began late.
const (
	allWritesTime = 5 * time.Second
	leastTime     = time.Second
)

var (
	errUnconfirmed = errors.New("not all nodes of the CouchDB cluster have confirmed the write in time; " +
		"it may have been made")
	errLate = errors.New("the nodes of the CouchDB cluster were slow, and no time was left to write; " +
		"nothing was written")
	errNotFinal   = errors.New("a node of the CouchDB cluster is not connected, and may bring back what was deleted")
	errNoMajority = errors.New("too many nodes of the CouchDB cluster are not connected; the write may have been made")
	errContested  = errors.New("nodes of the CouchDB cluster have accepted another writer; the write may have been made")
)

// Nodes returns how many nodes of a CouchDB cluster keep each document of db. It is 1 without a cluster.
func (s *Store) Nodes(ctx context.Context, db string) (int, error) {
	if s.couch == nil {
		return 1, nil
	}
	if known, ok := s.replicas.Load(db); ok {
		return known.(int), nil
	}
	nodes := 1
	err := s.call("stats", db, func() error {
		stats, err := s.client.DB(db).Stats(ctx)
		if err == nil && stats.Cluster != nil {
			nodes = max(stats.Cluster.Replicas, 1)
		}
		return err
	})
	if err == nil {
		s.replicas.Store(db, nodes)
	}
	return nodes, err
}

// send is a request that writes documents. quorum says how many nodes of a cluster it waits for.
type send func(ctx context.Context, quorum kivik.Option) ([]Written, error)

// write writes documents in one request and decides what became of each. If it returns an error, none was tried, or the
// outcome of all is unknown.
func (s *Store) write(
	ctx context.Context, operation, db string, docs []document.Document, do send,
) (written []Written, err error) {
	defer func() {
		for _, w := range written {
			if fault.Is(w.Err, fault.Conflict) {
				s.conflict(family(db))
			}
		}
	}()
	nodes, err := s.Nodes(ctx, db)
	if err != nil {
		return nil, err
	}
	if nodes == 1 {
		written, _, err = s.request(ctx, operation, db, docs, do, kivik.Params(nil))
		return written, err
	}
	if s.unconfirmed.refuses(db, docs) {
		return nil, fault.Wrap(fault.DatastorePartial, errWaiting)
	}
	wait := confirmTime
	if began, ok := requesttime.Began(ctx); ok {
		wait = min(wait, time.Until(began.Add(allWritesTime)))
	}
	if wait < leastTime {
		return nil, fault.Wrap(fault.DatastoreUnreachable, errLate)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, wait, errUnconfirmed)
	defer cancel()
	sign(db, docs)
	written, contested, err := s.request(bounded, operation, db, docs, do, kivik.Param("w", nodes))
	switch {
	case errors.Is(bounded.Err(), context.DeadlineExceeded): // of this write, or of all that belong together
		written = make([]Written, len(docs))
		s.leaveOpen(db, acceptAll(db, docs, written), errUnconfirmed)
		return written, nil
	case err != nil || !contested:
		return written, err
	}
	open, err := s.decide(bounded, db, acceptAll(db, docs, written), nodes)
	s.leaveOpen(db, open, err)
	return written, nil
}

// request sends a request to write documents. It reports whether nodes of a cluster may have accepted another writer.
func (s *Store) request(
	ctx context.Context, operation, db string, docs []document.Document, do send, param kivik.Option,
) (written []Written, contested bool, err error) {
	var sent couchhttp.Sent
	err = s.call(operation, db, func() (err error) {
		written, err = do(couchhttp.WithSent(ctx, &sent), param)
		return err
	})
	if len(written) == len(docs) {
		err = nil // each has its own
	}
	for i := range written {
		if w := &written[i]; sent.Repeated && refused(w.Err) {
			w.Rev, w.Err = s.landed(ctx, db, docs[i], w.Err)
		}
	}
	return written, sent.Partial || sent.Repeated, err
}

// refused reports whether a write was refused, as one is that is sent again after it was made.
func refused(err error) bool {
	return fault.Is(err, fault.Conflict) || fault.Is(err, fault.BadIdentifier)
}

// sign signs documents with a text that no other write has.
func sign(db string, docs []document.Document) {
	for _, doc := range docs {
		if isSigned(db, doc.ID()) {
			doc[FieldWriter] = rand.Text()
		}
	}
}

func isSigned(db, id string) bool { return family(db) != accountFamily && !strings.HasPrefix(id, "_") }

// accepted is a write that at least one node has accepted, and what became of it.
type accepted struct {
	*Written
	id     string
	writer string // its signature; empty if the document is not signed
	first  string // the revision that was accepted; empty if the response did not come
	newest string // the revision that this write has made last: it may have been sealed
	seals  int    // how often a majority has accepted its newest revision
}

// acceptAll returns the writes that have not failed.
func acceptAll(db string, docs []document.Document, written []Written) (open []*accepted) {
	for i, doc := range docs {
		w := &written[i]
		if w.Err != nil {
			continue
		}
		a := &accepted{Written: w, id: doc.ID(), first: w.Rev, newest: w.Rev}
		if isSigned(db, a.id) {
			a.writer = doc.String(FieldWriter)
		}
		open = append(open, a)
	}
	return open
}

// sealsNeeded is how often a write is sealed, with a reading of the leaves in between.
const sealsNeeded = 2

// decideRounds bounds how often the leaves are read. Two are enough while the nodes' connections do not change.
const decideRounds = 3

// decide finds out what became of writes that some nodes have accepted. It returns those of which that is not known, and
// why.
func (s *Store) decide(ctx context.Context, db string, writes []*accepted, nodes int) (open []*accepted, err error) {
	defer func() {
		if errors.Is(context.Cause(ctx), errUnconfirmed) && err != nil {
			err = errUnconfirmed
		}
	}()
	missing, err := s.missingNodes(ctx, nodes)
	if err != nil {
		return writes, err
	}
	var contested []*accepted
	for round := 0; len(writes) > 0; round++ {
		if round == decideRounds {
			return append(contested, writes...), errNoMajority
		}
		won, undecided, err := s.findWinners(ctx, db, writes, nodes)
		if err != nil {
			return append(contested, writes...), err
		}
		contested = append(contested, undecided...)
		if writes, err = s.seal(ctx, db, won, nodes, missing); err != nil {
			return append(contested, writes...), err
		}
	}
	if len(contested) > 0 {
		return contested, errContested
	}
	return nil, nil
}

func majority(nodes int) int { return nodes/2 + 1 }

// winner is a write that has won, with the leaf of the document that it has made.
type winner struct {
	*accepted
	leaf
}

// findWinners compares writes with the leaves of their documents. It returns those that have to be sealed, and those that
// the leaves do not decide. It removes the revisions of losers.
func (s *Store) findWinners(
	ctx context.Context, db string, writes []*accepted, nodes int,
) (won []winner, contested []*accepted, err error) {
	ids := make([]string, len(writes))
	for i, a := range writes {
		ids[i] = a.id
	}
	leaves, err := s.leaves(ctx, db, ids, nodes)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range writes {
		if len(leaves[a.id]) == 0 {
			continue
		}
		best := slices.MaxFunc(leaves[a.id], compareLeaves)
		switch {
		case !slices.Contains(best.revs, a.first):
			*a.Written = Written{Err: fault.New(fault.Conflict, "")}
			_ = s.remove(ctx, db, a.id, a.newest, nodes) // if it stays, Resolve removes it
		case a.writer == "":
		case best.revs[0] != a.newest || a.isContested(best, leaves[a.id]): // or another writer has gone on from it
			contested = append(contested, a)
		case best.doc.Bool("_deleted") && a.seals > 0:
		default:
			won = append(won, winner{a, best})
		}
	}
	return won, contested, nil
}

// isContested reports whether another branch than that of best, which is a's, may have been sealed: it is not older
// than a's write, and has more than one revision of its own.
func (a *accepted) isContested(best leaf, leaves []leaf) bool {
	return slices.ContainsFunc(leaves, func(l leaf) bool {
		own := slices.IndexFunc(l.revs, func(rev string) bool { return slices.Contains(best.revs, rev) })
		if own < 0 {
			own = len(l.revs)
		}
		generation := kazoo.Generation(l.revs[0])
		if l.doc.Bool("_deleted") {
			own, generation = own-1, generation-1
		}
		return own > 1 && generation >= kazoo.Generation(a.first)
	})
}

// seal writes winners once more over themselves. It returns those whose leaves have to be read again, or with an error,
// those whose outcome is open.
func (s *Store) seal(
	ctx context.Context, db string, won []winner, nodes, missing int,
) (again []*accepted, err error) {
	if len(won) == 0 {
		return nil, nil
	}
	var all, sealed []*accepted
	var docs []document.Document
	var fresh []winner
	for _, w := range won {
		all = append(all, w.accepted)
		if w.seals == 0 {
			fresh = append(fresh, w)
		}
		switch {
		case !w.doc.Bool("_deleted"):
			docs, sealed = append(docs, w.doc), append(sealed, w.accepted)
		case missing > 0:
			*w.Written = Written{Err: fault.Wrap(fault.DatastorePartial, errNotFinal)}
		default:
			w.seals++
			again = append(again, w.accepted)
		}
	}
	if err := s.push(ctx, db, fresh, nodes-missing); err != nil {
		return all, err
	}
	if len(docs) == 0 {
		return again, nil
	}
	written, partial, err := s.request(ctx, "put_many", db, docs, s.bulk(db, docs), kivik.Param("w", majority(nodes)))
	if err != nil {
		return all, err
	}
	for i, a := range sealed {
		switch w := written[i]; {
		case w.Err == nil:
			a.newest, a.Rev = w.Rev, w.Rev
			if !partial {
				a.seals++
			}
		case !fault.Is(w.Err, fault.Conflict): // a conflict is another writer's, and the leaves show it
			return all, w.Err
		}
		if a.seals < sealsNeeded {
			again = append(again, a)
		}
	}
	return again, nil
}

// push writes revisions to all connected nodes as they are, as replication would do a moment later: nodes that have
// accepted another writer could not seal them before. (Such a write never fails, and does not show which nodes
// have it.)
func (s *Store) push(ctx context.Context, db string, won []winner, connected int) error {
	if len(won) == 0 {
		return nil
	}
	docs := make([]any, len(won))
	for i, w := range won {
		doc := w.doc.Clone()
		var hashes []string
		for _, rev := range w.revs {
			_, hash, _ := strings.Cut(rev, "-")
			hashes = append(hashes, hash)
		}
		doc["_revisions"] = map[string]any{"start": kazoo.Generation(w.revs[0]), "ids": hashes}
		docs[i] = doc
	}
	return s.call("put_many", db, func() error {
		_, err := s.client.DB(db).BulkDocs(ctx, docs, kivik.Params(map[string]any{"new_edits": false, "w": connected}))
		return err
	})
}

// missingNodes returns how many nodes of the cluster are not connected. Without a majority of those that keep a
// document it returns errNoMajority.
func (s *Store) missingNodes(ctx context.Context, nodes int) (missing int, err error) {
	err = s.call("membership", "", func() error {
		members, err := s.client.Membership(ctx)
		if err == nil && len(members.ClusterNodes) == 0 {
			err = errors.New("the CouchDB lists no nodes")
		}
		if err != nil {
			return err
		}
		for _, node := range members.ClusterNodes {
			if !slices.Contains(members.AllNodes, node) {
				missing++
			}
		}
		return nil
	})
	if err == nil && missing > nodes-majority(nodes) {
		err = errNoMajority
	}
	return missing, err
}

// leaf is the end of one branch of a document's revisions.
type leaf struct {
	doc  document.Document // a tombstone has "_deleted"
	revs []string          // of the branch, the newest first
}

// compareLeaves orders leaves as CouchDB does: the last one is the winner.
func compareLeaves(a, b leaf) int {
	rank := func(l leaf) int {
		if l.doc.Bool("_deleted") {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		cmp.Compare(kazoo.Generation(a.doc.Rev()), kazoo.Generation(b.doc.Rev())),
		strings.Compare(a.doc.Rev(), b.doc.Rev()),
	)
}

// leaves reads all leaves of documents, tombstones included, from all nodes that keep them. (kivik's BulkGet returns one
// for each document.)
func (s *Store) leaves(ctx context.Context, db string, ids []string, nodes int) (map[string][]leaf, error) {
	refs := make([]kivik.BulkGetReference, len(ids))
	for i, id := range ids {
		refs[i].ID = id
	}
	var response struct {
		Results []struct {
			ID   string
			Docs []struct{ OK document.Document }
		}
	}
	err := s.call("bulk_get", db, func() error {
		return s.couch.DoJSON(ctx, http.MethodPost, url.PathEscape(db)+"/_bulk_get", &chttp.Options{
			Query:   url.Values{"r": {fmt.Sprint(nodes)}, "revs": {"true"}},
			GetBody: chttp.BodyEncoder(map[string]any{"docs": refs}),
			NoGzip:  true,
		}, &response)
	})
	if err != nil {
		return nil, err
	}
	found := make(map[string][]leaf, len(ids))
	for _, result := range response.Results {
		for _, d := range result.Docs {
			if d.OK != nil {
				found[result.ID] = append(found[result.ID], leaf{d.OK, revisions(d.OK)})
			}
		}
	}
	return found, nil
}

// latest is Get for a writer who has just lost: it reads from all nodes, since most of them may not have the winner yet.
func (s *Store) latest(ctx context.Context, db, id string, nodes int) (document.Document, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, confirmTime, errUnconfirmed)
	defer cancel()
	leaves, err := s.leaves(ctx, db, []string{id}, nodes)
	if errors.Is(context.Cause(ctx), errUnconfirmed) {
		return nil, fault.Wrap(fault.DatastorePartial, errUnconfirmed)
	}
	if err != nil {
		return nil, err
	}
	if len(leaves[id]) == 0 {
		return nil, fault.New(fault.BadIdentifier, "")
	}
	winner := slices.MaxFunc(leaves[id], compareLeaves).doc
	if winner.Bool("_deleted") {
		return nil, fault.New(fault.BadIdentifier, "")
	}
	return winner, nil
}

// remove removes a losing revision. What is left of it wins over nothing.
func (s *Store) remove(ctx context.Context, db, id, rev string, nodes int) error {
	err := s.call("delete", db, func() error {
		_, err := s.client.DB(db).Delete(ctx, id, rev, kivik.Param("w", nodes))
		return err
	})
	if refused(err) {
		return nil // another process was faster
	}
	return err
}

// Resolve removes the losing revisions that "_conflicts" of a document names, and removes that field. It calls each with
// every losing revision before that is removed. Any process that reads a conflict may do this, several at once, too.
func (s *Store) Resolve(
	ctx context.Context, db string, doc document.Document, each func(loser document.Document),
) error {
	losers := doc.Strings("_conflicts")
	delete(doc, "_conflicts")
	nodes, failed := s.Nodes(ctx, db)
	ctx, cancel := context.WithTimeoutCause(ctx, confirmTime, errUnconfirmed)
	defer cancel()
	for _, rev := range losers {
		loser, err := s.GetRevision(ctx, db, doc.ID(), rev)
		if err == nil {
			each(loser)
			err = s.remove(ctx, db, doc.ID(), rev, nodes)
		}
		if err != nil && !refused(err) {
			failed = err
		}
	}
	return failed
}

// Contested returns those of several documents, keyed by id, of which a CouchDB has or had losing revisions. Unless they
// are purged, it knows what is left of them. A document may be a tombstone.
func (s *Store) Contested(
	ctx context.Context, db string, ids []string,
) (winners map[string]document.Document, err error) {
	if s.couch == nil || len(ids) == 0 {
		return nil, nil
	}
	nodes, err := s.Nodes(ctx, db)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, confirmTime, errUnconfirmed)
	defer cancel()
	found, err := s.leaves(ctx, db, slices.Compact(slices.Sorted(slices.Values(ids))), nodes)
	winners = map[string]document.Document{}
	for id, leaves := range found {
		if len(leaves) > 1 {
			winners[id] = slices.MaxFunc(leaves, compareLeaves).doc
		}
	}
	return winners, err
}
