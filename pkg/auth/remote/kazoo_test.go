package remote_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"junctor/pkg/auth"
	"junctor/pkg/auth/remote"
	"junctor/pkg/auth/trust"
	"junctor/pkg/fault"
	"junctor/pkg/store/storetest"
)

const (
	clusterA = "c6859db6813a0a4507b07b3491e1d9e6"
	clusterB = "1f0a5dcd6bdee2f2b1a3c1f07fca7e8a"
	account  = "0766c6d3a0cf0a0f293e7c8cf0bdcab5"
	user     = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01"
	reseller = "20d27928305e257782655b7896c79f14"
)

// start is when the clock of a test begins.
var start = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// token returns what looks like a JWT with an "exp" in so many seconds; the name makes it another one.
func token(name string, lifetime int64) string {
	claims := fmt.Sprintf(`{"iss":"kazoo","account_id":%q,"name":%q,"exp":%d}`, account, name, start.Unix()+lifetime)
	part := base64.RawURLEncoding.EncodeToString
	signature := "signature of " + name
	return part([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + part([]byte(claims)) + "." + part([]byte(signature))
}

// good is a token that lasts.
var good = token("good", 3600)

// fields is a JSON object.
type fields = map[string]any

// about is what a Kazoo of the cluster says in data about the user of its master account, as recorded.
func about(cluster string, changes fields) fields {
	data := fields{
		"account_id": account, "owner_id": user, "method": "cb_user_auth", "iss": "kazoo", "exp": start.Unix() + 3600,
		"identity_sig": "Tmw6Fzr21jOJpyhJWWwORG3HofHnv1mF87iQtA0wF04", "ui_config": fields{}, "capabilities": fields{
			"voicemail": fields{"transcription": fields{"default": false, "available": false}},
		}, "is_master_account": true, "is_reseller": true, "reseller_id": account, "cluster_id": cluster,
		"account_name": "Master Account", "language": "en-US", "apps": []any{},
	}
	for name, value := range changes {
		data[name] = value
		if value == nil {
			delete(data, name)
		}
	}
	return data
}

// says returns a handler that responds as Crossbar does.
func says(status int, envelope fields) http.HandlerFunc {
	whole := fields{"version": "4.0.0", "timestamp": "2026-11-22T04:27:23Z", "node": "qAZM9YHIQVKDx9NuhuIIdA",
		"request_id": "789301a454752938f6f049dbd18925ea", "auth_token": good, "status": "error"}
	maps.Copy(whole, envelope)
	body, err := json.Marshal(whole)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			panic(err)
		}
		raw(status, "application/json", string(body))(w, nil)
	}
}

func raw(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Set-Cookie", "seen=yes; Path=/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func success(data fields) http.HandlerFunc {
	return says(http.StatusOK, fields{"status": "success", "data": data})
}

// The refusals of a Kazoo, as recorded, and as its source says where there is no recording.
var (
	invalid = says(http.StatusUnauthorized, fields{"error": "401", "message": "invalid_credentials",
		"data": fields{"message": "invalid credentials"}})
	restricted = says(http.StatusForbidden, fields{"error": "403", "message": "forbidden",
		"data": fields{"cause": "access denied by token restrictions", "message": "forbidden"}})
	notFound = says(http.StatusNotFound, fields{"error": "404", "message": "not_found",
		"data": fields{"message": "not found"}})
	notAllowed = says(http.StatusMethodNotAllowed, fields{"error": "405", "message": "invalid_method",
		"data": fields{"message": "method not allowed"}})
	trialOver = says(http.StatusBadRequest, fields{"error": "400", "message": "validation error",
		"data": fields{"account": fields{"expired": fields{"message": "account expired", "cause": 63962541119}}}})
	deletedUser = says(http.StatusInternalServerError, fields{"error": "500", "message": "invalid_identity_provider",
		"data": fields{}})
	broken = says(http.StatusInternalServerError, fields{"error": "500", "message": "datastore_fault",
		"data": fields{"message": "datastore fatal error"}})
)

// kazoo is another cluster.
type kazoo struct {
	*httptest.Server
	mu        sync.Mutex
	tokenAuth http.HandlerFunc
	tokenInfo http.HandlerFunc
	requests  []asked
}

// asked is a request that a cluster got.
type asked struct {
	line   string
	header http.Header
	body   string
}

// newKazoo starts a cluster with these handlers; nil is 404.
func newKazoo(t *testing.T, tokenAuth, tokenInfo http.HandlerFunc) *kazoo {
	t.Helper()
	k := &kazoo{}
	k.respond(tokenAuth, tokenInfo)
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// respond sets the handlers.
func (k *kazoo) respond(tokenAuth, tokenInfo http.HandlerFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokenAuth, k.tokenInfo = tokenAuth, tokenInfo
}

func (k *kazoo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	k.mu.Lock()
	k.requests = append(k.requests, asked{r.Method + " " + r.RequestURI, r.Header, string(body)})
	handler := map[string]http.HandlerFunc{
		"GET /v2/token_auth": k.tokenAuth, "POST /v2/auth/tokeninfo": k.tokenInfo,
	}[r.Method+" "+r.RequestURI]
	k.mu.Unlock()
	if handler == nil {
		handler = notFound
	}
	handler(w, r)
}

// lines returns the requests so far.
func (k *kazoo) lines() (lines []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.requests {
		lines = append(lines, r.line)
	}
	return lines
}

// hangs returns a handler that keeps a client waiting until it leaves.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// clock is moved by hand.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.passed.Load())) }
func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// world is an Introspector with its registry on a store.
type world struct {
	*remote.Introspector
	*clock
	registry *counted
}

// counted is a registry that counts how often it is asked.
type counted struct {
	*trust.Registry
	reads atomic.Int64
}

func (c *counted) Get(ctx context.Context, id string) (trust.Cluster, error) {
	c.reads.Add(1)
	return c.Registry.Get(ctx, id)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s := storetest.Open(t, "memory:")
	if err := s.CreateDatabase(t.Context(), trust.Database); err != nil {
		t.Fatal(err)
	}
	c := &clock{}
	r := &counted{Registry: trust.NewRegistry(s, trust.Options{Now: c.now})}
	w := &world{remote.New(r, c.now), c, r}
	t.Cleanup(w.Close)
	return w
}

func (w *world) register(t testing.TB, id, url string) {
	t.Helper()
	if _, err := w.registry.Add(t.Context(), id, url, ""); err != nil {
		t.Fatal(err)
	}
}

// with returns a world with a cluster A that has these handlers.
func with(t *testing.T, tokenAuth, tokenInfo http.HandlerFunc) (*world, *kazoo) {
	t.Helper()
	w, k := newWorld(t), newKazoo(t, tokenAuth, tokenInfo)
	w.register(t, clusterA, k.URL+"/v2")
	return w, k
}

// accepts checks that a token of cluster A is accepted.
func (w *world) accepts(t *testing.T, token string) *auth.Identity {
	t.Helper()
	identity, err := w.Identify(t.Context(), clusterA, token)
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

// refuses checks that a token of cluster A is refused, in time, by an error that does not show it.
func (w *world) refuses(t *testing.T, token string, kind fault.Kind) error {
	t.Helper()
	begun := time.Now()
	identity, err := w.Identify(t.Context(), clusterA, token)
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	if identity != nil || !fault.Is(err, kind) {
		t.Fatalf("got %+v, %v, want %v", identity, err, kind)
	}
	for _, part := range strings.Split(token, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part) {
			t.Errorf("the error shows the token: %v", err)
		}
	}
	return err
}
