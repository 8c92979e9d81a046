package projection_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"junctor/pkg/document"
	"junctor/pkg/projection"
)

// observing runs a test with a projector that runs, and knows the revisions of the pool that the test writes.
func observing(t *testing.T, test func(s *subject, p *projection.Projector)) {
	t.Helper()
	var s *subject
	o := projection.Options{Current: func(doc document.Document) bool { return s.known(doc) }}
	inBubble(t, o, func(subject *subject, p *projection.Projector) {
		s = subject
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		go p.Run(ctx)
		test(s, p)
	})
}

// settled is longer than an observed change waits.
const settled = 3 * projection.DefaultSettle

// The feed may deliver a write before the writer itself has the response. A later one must not be taken for what the
// writer left undone.
func TestACopyThatThisProcessIsAboutToWriteIsNotRepaired(t *testing.T) {
	t.Parallel()
	observing(t, func(s *subject, p *projection.Projector) {
		first := s.assign("10.0.0.1", accountA)
		p.Observe(first, "")
		p.Project(t.Context(), []document.Document{first}, accountA)
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.1", "")}, accountA)
		released := s.assign("10.0.0.2", "")
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.2", accountA)}, accountA)
		p.Observe(released, accountA) // of a node that is behind
		p.Project(t.Context(), []document.Document{s.assign("10.0.0.2", "")}, accountA)
		committed := []document.Document{s.assign("10.0.0.1", accountA), s.assign("10.0.0.2", accountA)}
		time.Sleep(settled)
		if n := s.repairs.Load(); n != 0 {
			s.Errorf("%d copies were repaired that a request was about to write", n)
		}
		p.Project(t.Context(), committed, accountA)
		s.copies(accountA, "10.0.0.1", "10.0.0.2")
	})
}

// The generation does not order revisions of different branches: two writers of a cluster make revisions of one
// generation, a longer branch may lose by its deletion, and in a database that was created again all begin at 1.
func TestAnObservedRevisionOfAnotherBranchIsCompared(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"1-lost", "9-lost"} {
		observing(t, func(s *subject, p *projection.Projector) {
			winner := s.assign("10.0.0.1", accountB)
			s.current.Store("10.0.0.1", lost)
			p.Project(t.Context(), []document.Document{{
				"_id": "10.0.0.1", "_rev": lost,
				"pvt_type": "dedicated_ip", "pvt_status": "assigned", "pvt_assigned_to": accountA,
			}}, accountA)
			if _, err := s.Get(s.Context(), databaseOf(accountA), "10.0.0.1"); err != nil {
				s.Fatal(err)
			}
			s.current.Store("10.0.0.1", winner.Rev())
			p.Observe(winner, accountA)
			time.Sleep(settled)
			s.copies(accountA)
			s.copies(accountB, "10.0.0.1")
		})
	}
}

// Another process changes the address again just before the copy is compared, and is about to write the copy.
func TestACopyOfAnAddressThatHasChangedSinceIsLeftToItsWriter(t *testing.T) {
	t.Parallel()
	observing(t, func(s *subject, p *projection.Projector) {
		first := s.assign("10.0.0.1", accountA)
		if _, err := s.Store.Put(s.Context(), databaseOf(accountA), projection.Content(first)); err != nil {
			s.Fatal(err)
		}
		time.Sleep(time.Second)
		p.Observe(first, "")
		time.Sleep(projection.DefaultSettle)
		s.assign("10.0.0.1", accountB)
		time.Sleep(projection.DefaultSettle)
		if n := s.repairs.Load(); n != 0 {
			s.Errorf("%d copies were repaired that their writer was about to write", n)
		}
		time.Sleep(settled) // it does not, and the feed does not deliver the change
		s.copies(accountA)
		if n := s.repairs.Load(); n != 1 {
			s.Errorf("%d copies were repaired", n)
		}
	})
}

// As after an outage of the feed, in which others have changed a large pool.
func TestMoreChangesThanThereIsRoomForRequestAFullPass(t *testing.T) {
	t.Parallel()
	p := projection.New(&slowStore{}, projection.Options{})
	defer p.Close()
	observe := func(n int) { p.Observe(document.Document{"_id": strconv.Itoa(n), "_rev": "2-x"}, accountA) }
	for n := range projection.MostObserved {
		observe(n)
	}
	observe(0) // has its place already
	if p.PassRequested() {
		t.Error("a full pass was requested although all changes wait")
	}
	observe(projection.MostObserved)
	if !p.PassRequested() {
		t.Error("a change was dropped, and no full pass requested")
	}
}
