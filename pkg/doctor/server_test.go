package doctor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"junctor/pkg/notify"
	"junctor/pkg/store/storetest"
)

// TestServer: a CouchDB behind a proxy that responds to some requests itself.
func TestServer(t *testing.T) {
	t.Parallel()
	p := admitCouchDB(t)
	for name, c := range map[string]struct {
		path, body string
		status     int
		clock      time.Duration
		want       map[string]string
	}{
		"an old version": {path: "/", body: `{"couchdb":"Welcome","version":"1.6.1"}`,
			want: map[string]string{"server": "warning: CouchDB 1.6.1 … replica"}},
		"no administrator": {path: "/_session", body: `{"ok":true,"userCtx":{"name":"kazoo","roles":["reader"]}}`,
			want: map[string]string{"rights": "broken: the user in --store is not an administrator … config.ini"}},
		"a view that fails": {path: "/dedicated_ips/_design/dedicated_ips/_view/zone_listing", status: 500,
			body: `{"error":"compilation_error","reason":"Expression does not eval to a function."}`,
			want: map[string]string{
				"Kazoo's views": "broken: view dedicated_ips/zone_listing can't be queried … eval … refresh dedicated_ips",
			}},
		"a clock behind": {clock: -90 * time.Second,
			want: map[string]string{"clock": "warning: CouchDB's clock is 1m … behind ours … NTP"}},
		"a clock ahead": {clock: time.Hour,
			want: map[string]string{"clock": "broken: CouchDB's clock is … m … ahead of ours … NTP"}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := storetest.Forward(t, p.dsn)
			proxy.ModifyResponse = func(r *http.Response) error {
				r.Header.Set("Date", time.Now().Add(c.clock).UTC().Format(http.TimeFormat))
				return nil
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.body != "" && r.URL.Path == c.path {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(max(c.status, http.StatusOK))
					_, _ = fmt.Fprint(w, c.body)
					return
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(s.Close)
			seen := visit(t, s.URL)
			seen.is(seen.examine(Options{}), c.want)
		})
	}
}

// TestNoServer: there is nothing else to say then.
func TestNoServer(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(refusing.Close)
	locking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // as CouchDB 3.5 does
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"error":"forbidden",`+
			`"reason":"Account is temporarily locked due to multiple authentication failures"}`)
	}))
	t.Cleanup(locking.Close)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "hello")
	}))
	t.Cleanup(page.Close)
	away := httptest.NewServer(nil)
	away.Close()
	for dsn, want := range map[string]string{
		refusing.URL: "broken: CouchDB refuses this user and password … config.ini",
		locking.URL:  "broken: CouchDB has locked this user out: Forbidden: Account … five minutes",
		page.URL:     "broken: the server there is not a CouchDB … --store",
		away.URL:     "broken: CouchDB does not respond … 15984",
	} {
		p := visit(t, strings.Replace(dsn, "//", "//kazoo:secret@", 1))
		found := p.examine(Options{})
		p.is(found, map[string]string{"server": want})
		if text := fmt.Sprint(found); len(found) != 1 || strings.Contains(text, "secret") {
			t.Error(text)
		}
	}
}

// TestBroker: what is said of a broker. Package notify tests what it finds there.
func TestBroker(t *testing.T) {
	t.Parallel()
	p := admit(t)
	free := httptest.NewServer(nil)
	free.Close()
	found := p.examine(Options{AMQP: strings.Replace(free.URL, "http://", "amqp://guest:secret@", 1)})
	p.is(found, map[string]string{"broker": "broken: RabbitMQ can't be used … refused … --amqp-url"})
	if text := fmt.Sprint(found); strings.Contains(text, "secret") {
		t.Error(text)
	}
	durable := fmt.Errorf("%w: Exception (406): inequivalent arg 'durable'", notify.ErrOtherExchange) // fault P11
	for want, f := range map[string]Finding{
		"warning: RabbitMQ responds, but no Kazoo uses it … virtual host": brokerFinding(false, nil),
		"ok: RabbitMQ responds and has Kazoo's exchange":                  brokerFinding(true, nil),
		`broken: the exchange "configuration" has other properties than Kazoo declares … durable … delete it`: brokerFinding(
			false, durable),
	} {
		if got := fmt.Sprintf("%s: %s … %s", f.State, f.Found, f.Remedy); !like(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
