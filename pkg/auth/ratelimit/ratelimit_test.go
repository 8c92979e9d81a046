package ratelimit_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/fault"
	"junctor/pkg/testutil"
)

const (
	accountA = "20d27928305e257782655b7896c79f14"
	accountB = "09c766718e5cfdbc70c929dccb4e00fc"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

// clock is moved by hand.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// login tries to log in and reports whether credentials were checked.
func login(t *testing.T, th *ratelimit.Throttle, client netip.Addr, account string, failed bool) bool {
	t.Helper()
	end, err := th.Attempt(client, account)
	if err != nil {
		if !fault.Is(err, fault.TooManyRequests) {
			t.Fatal(err)
		}
		return false
	}
	end(failed)
	return true
}

// failedToken shows a bad token and reports whether it is refused without fault.TooManyRequests.
func failedToken(t *testing.T, th *ratelimit.Throttle, client netip.Addr, account string) bool {
	t.Helper()
	err := th.FailedToken(client, account)
	if err != nil && !fault.Is(err, fault.TooManyRequests) {
		t.Fatal(err)
	}
	return err == nil
}

// passed counts how many of n attempts are let through.
func passed(n int, attempt func() bool) (count int) {
	for range n {
		if attempt() {
			count++
		}
	}
	return count
}

func TestBucket(t *testing.T) {
	t.Parallel()
	attempts := map[string]func(t *testing.T, th *ratelimit.Throttle) bool{
		"login": func(t *testing.T, th *ratelimit.Throttle) bool { return login(t, th, here, accountA, true) },
		"token": func(t *testing.T, th *ratelimit.Throttle) bool { return failedToken(t, th, here, accountA) },
	}
	for name, attempt := range attempts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			th := ratelimit.New(clock.now)
			for _, step := range []struct {
				wait time.Duration
				want int
			}{{0, 60}, {0, 0}, {500 * time.Millisecond, 0}, {500 * time.Millisecond, 1}, {10 * time.Second, 10},
				{59 * time.Second, 59}, {time.Minute, 60}, {time.Hour, 60}, {24 * time.Hour, 60}} {
				clock.advance(step.wait)
				if got := passed(200, func() bool { return attempt(t, th) }); got != step.want {
					t.Errorf("after %v %d pass, want %d", step.wait, got, step.want)
				}
			}
		})
	}
}

func TestSuccessCostsNothing(t *testing.T) {
	t.Parallel()
	th := ratelimit.New(newClock().now)
	if got := passed(500, func() bool { return login(t, th, here, accountA, false) }); got != 500 {
		t.Errorf("%d of 500 good logins pass", got)
	}
	if got := passed(100, func() bool { return login(t, th, here, accountA, true) }); got != 60 {
		t.Errorf("%d failures pass after that", got)
	}
	if login(t, th, here, accountA, false) {
		t.Error("the 61st attempt is checked")
	}
}

func TestBucketsApart(t *testing.T) {
	t.Parallel()
	th := ratelimit.New(newClock().now)
	if got := passed(100, func() bool { return login(t, th, here, accountA, true) }); got != 60 {
		t.Fatalf("%d pass", got)
	}
	for _, other := range []struct {
		client  netip.Addr
		account string
	}{{there, accountA}, {here, accountB}, {here, ""}, {netip.Addr{}, accountA}} {
		if got := passed(100, func() bool { return login(t, th, other.client, other.account, true) }); got != 60 {
			t.Errorf("%v, account %q: %d pass", other.client, other.account, got)
		}
	}
	if got := passed(100, func() bool { return failedToken(t, th, here, accountA) }); got != 60 {
		t.Errorf("%d bad tokens pass", got)
	}
	passed(1000, func() bool { return failedToken(t, th, there, "") })
	if !login(t, th, there, "", false) {
		t.Error("a page with an expired token locks its user out")
	}
}

// TestSameBucket: spellings of one client or one account share a bucket.
func TestSameBucket(t *testing.T) {
	t.Parallel()
	type subject struct{ client, account string }
	for _, same := range [][2]subject{
		{{"192.0.2.1", accountA}, {"::ffff:192.0.2.1", accountA}},
		{{"2001:db8:1:2::1", accountA}, {"2001:db8:1:2:ffff:ffff:ffff:ffff", accountA}},
		{{"fe80::1%eth0", accountA}, {"fe80::2%eth1", accountA}},
		{{"192.0.2.1", ""}, {"192.0.2.1", "no_account"}},
		{{"192.0.2.1", ""}, {"192.0.2.1", accountA + "0"}},
	} {
		th := ratelimit.New(newClock().now)
		for range 60 {
			login(t, th, netip.MustParseAddr(same[0].client), same[0].account, true)
		}
		if login(t, th, netip.MustParseAddr(same[1].client), same[1].account, true) {
			t.Errorf("%v has another bucket than %v", same[1], same[0])
		}
	}
	th := ratelimit.New(newClock().now)
	for range 60 {
		login(t, th, netip.MustParseAddr("2001:db8:1:2::1"), accountA, true)
	}
	if !login(t, th, netip.MustParseAddr("2001:db8:1:3::1"), accountA, true) {
		t.Error("two networks share a bucket")
	}
}

// TestParallelGuesses: attempts that have not ended yet count as failures.
func TestParallelGuesses(t *testing.T) {
	t.Parallel()
	clock := newClock()
	th := ratelimit.New(clock.now)
	for _, want := range []int{60, 1} {
		var ends []func(bool)
		for range 200 {
			if end, err := th.Attempt(here, accountA); err == nil {
				ends = append(ends, end)
			}
		}
		if len(ends) != want {
			t.Errorf("%d guesses at once, want %d", len(ends), want)
		}
		for _, end := range ends {
			end(true)
		}
		clock.advance(time.Second)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	th := ratelimit.New(newClock().now)
	var looked, refused atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 20 {
				if login(t, th, here, accountA, true) {
					looked.Add(1)
				}
				if !failedToken(t, th, here, accountA) {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if looked.Load() != 60 || refused.Load() != 400-60 {
		t.Errorf("%d logins were checked, %d bad tokens got fault.TooManyRequests", looked.Load(), refused.Load())
	}
}

// host is another client each time.
func host(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }

// TestManyAccounts: naming another account each time is slowed down, and flushes nothing, of more accounts than a table
// has room for (S12).
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	const clientBurst = 600
	clock := newClock()
	th := ratelimit.New(clock.now)
	passed(60, func() bool { return login(t, th, there, accountA, true) && failedToken(t, th, there, accountA) })
	n := 0
	next := func() string { n++; return fmt.Sprintf("%032x", n) }
	if th.Exhausted(here) {
		t.Error("exhausted before the first failure")
	}
	if got := passed(20_000, func() bool { return failedToken(t, th, here, next()) }); got != clientBurst {
		t.Errorf("%d bad tokens were refused without fault.TooManyRequests", got)
	}
	if !th.Exhausted(here) || th.Exhausted(there) {
		t.Error("not exhausted, or another client is")
	}
	if got := passed(20_000, func() bool { return login(t, th, here, next(), true) }); got != clientBurst {
		t.Errorf("%d logins were looked at", got)
	}
	if login(t, th, there, accountA, true) || failedToken(t, th, there, accountA) {
		t.Error("the guesses at A are forgotten")
	}
	if !login(t, th, there, accountB, true) {
		t.Error("another client can't log in")
	}
	clock.advance(time.Second)
	if got := passed(100, func() bool { return login(t, th, here, next(), true) }); got != 10 {
		t.Errorf("%d logins were looked at a second later", got)
	}
}

// TestFullTables drives every table to its bound and looks at what that takes. A bucket in use is the last to be
// forgotten.
func TestFullTables(t *testing.T) {
	before := testutil.HeapBytes()
	th := ratelimit.New(newClock().now)
	for i := range 20_000 {
		failedToken(t, th, host(i), fmt.Sprintf("%032x", i))
		login(t, th, host(i), fmt.Sprintf("%032x", i), true)
		if failedToken(t, th, there, accountA) && i >= 60 {
			t.Fatalf("after %d others a bucket in use is forgotten", i)
		}
	}
	if took := testutil.HeapBytes() - before; took > 32<<20 || took < 4<<20 {
		t.Errorf("%d MiB", took>>20)
	}
	runtime.KeepAlive(th)
}
