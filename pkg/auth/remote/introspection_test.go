package remote_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"junctor/pkg/auth"
	"junctor/pkg/fault"
)

// master is whom about(clusterA, nil) is about.
var master = auth.Identity{
	AccountID: account, OwnerID: user, ClusterID: clusterA, Remote: true,
	Master: true,
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	const tokenAuth, tokenInfo = "GET /v2/token_auth", "POST /v2/auth/tokeninfo"
	whole := success(about(clusterA, nil))
	customer := success(about(clusterA, fields{"is_master_account": false, "is_reseller": false,
		"reseller_id": reseller, "owner_id": nil}))
	for name, c := range map[string]struct {
		tokenAuth, tokenInfo http.HandlerFunc
		want                 auth.Identity
		requests             []string
	}{
		"master":     {whole, nil, master, []string{tokenAuth}},
		"customer":   {customer, nil, auth.Identity{AccountID: account, ClusterID: clusterA, Remote: true}, []string{tokenAuth}},
		"no restful": {notFound, whole, master, []string{tokenAuth, tokenInfo}},
		"no GET":     {notAllowed, whole, master, []string{tokenAuth, tokenInfo}},
		"4.2": {success(about(clusterA, fields{"cluster_id": nil, "is_master_account": nil})), nil,
			auth.Identity{AccountID: account, OwnerID: user, ClusterID: clusterA, Remote: true}, []string{tokenAuth}},
		"charset": {func(w http.ResponseWriter, _ *http.Request) {
			body, _ := json.Marshal(fields{"status": "success", "data": about(clusterA, nil)})
			raw(http.StatusOK, "application/json; charset=utf-8", string(body))(w, nil)
		}, nil, master, []string{tokenAuth}},
		"nearly too long": {success(about(clusterA, fields{"apps": strings.Repeat("a", 62<<10)})), nil, master,
			[]string{tokenAuth}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, k := with(t, c.tokenAuth, c.tokenInfo)
			if got := w.accepts(t, good); !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
			if !slices.Equal(k.lines(), c.requests) {
				t.Errorf("asked %v, want %v", k.lines(), c.requests)
			}
		})
	}
}

// TestRefuses: a response that does not clearly accept a token is a refusal or an unreachable cluster.
func TestRefuses(t *testing.T) {
	t.Parallel()
	const (
		unreachable, unauthenticated = fault.ClusterUnreachable, fault.Unauthenticated

		inJSON  = "application/json"
		minimal = `{"status":"success","data":{"account_id":"` + account + `"}}`
	)
	bare := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	whole := fields{"status": "success", "data": about(clusterA, nil)}
	ok := success(about(clusterA, nil))
	changed := func(changes fields) http.HandlerFunc { return success(about(clusterA, changes)) }
	for name, c := range map[string]struct {
		tokenAuth, tokenInfo http.HandlerFunc
		want                 fault.Kind
	}{
		"invalid":                    {invalid, ok, unauthenticated},
		"401 in HTML":                {raw(401, "text/html", "<h1>401</h1>"), ok, unauthenticated},
		"invalid by tokeninfo":       {notFound, invalid, unauthenticated},
		"restricted":                 {restricted, ok, fault.Forbidden},
		"deleted user":               {notFound, deletedUser, unauthenticated},
		"trial over":                 {trialOver, ok, fault.Invalid},
		"another cluster":            {success(about(clusterB, nil)), ok, unauthenticated},
		"another by tokeninfo":       {notFound, success(about(clusterB, nil)), unauthenticated},
		"cluster id in upper case":   {changed(fields{"cluster_id": strings.ToUpper(clusterA)}), ok, unauthenticated},
		"cluster id is empty":        {changed(fields{"cluster_id": ""}), ok, unauthenticated},
		"cluster id is a list":       {changed(fields{"cluster_id": []any{clusterA}}), ok, unauthenticated},
		"500 of token_auth":          {deletedUser, ok, unreachable},
		"500":                        {broken, ok, unreachable},
		"500 of tokeninfo":           {notFound, broken, unreachable},
		"502":                        {raw(502, "text/html", "bad gateway"), ok, unreachable},
		"503":                        {says(503, whole), ok, unreachable},
		"504":                        {raw(504, "text/html", ""), ok, unreachable},
		"429":                        {says(429, fields{"message": "too_many_requests"}), ok, unreachable},
		"another 400":                {says(400, fields{"data": fields{"account": "expired"}}), ok, unreachable},
		"no Kazoo":                   {nil, nil, unreachable},
		"201":                        {says(201, whole), ok, unreachable},
		"204":                        {bare(204), ok, unreachable},
		"304":                        {bare(304), ok, unreachable},
		"HTML":                       {raw(200, "text/html", "<h1>Welcome</h1>"), ok, unreachable},
		"JSON that is said to be no": {raw(200, "text/plain", minimal), ok, unreachable},
		"no content type":            {raw(200, "", minimal), ok, unreachable},
		"nothing":                    {raw(200, inJSON, ""), ok, unreachable},
		"garbage":                    {raw(200, inJSON, "\x00\xff{]"), ok, unreachable},
		"cut JSON":                   {raw(200, inJSON, minimal[:len(minimal)-3]), ok, unreachable},
		"two JSON values":            {raw(200, inJSON, minimal+" {}"), ok, unreachable},
		"a list":                     {raw(200, inJSON, `[]`), ok, unreachable},
		"null":                       {raw(200, inJSON, `null`), ok, unreachable},
		"deep":                       {raw(200, inJSON, strings.Repeat(`{"data":`, 5000)), ok, unreachable},
		"too long":                   {changed(fields{"apps": strings.Repeat("a", 64<<10)}), ok, unreachable},
		"too long by white space":    {raw(200, inJSON, minimal+strings.Repeat(" ", 64<<10)), ok, unreachable},
		"status error":               {says(200, fields{"data": about(clusterA, nil)}), ok, unreachable},
		"no data":                    {says(200, fields{"status": "success"}), ok, unreachable},
		"data is a list":             {says(200, fields{"status": "success", "data": []any{whole["data"]}}), ok, unreachable},
		"no account":                 {changed(fields{"account_id": nil}), ok, unreachable},
		"account is a number":        {changed(fields{"account_id": 7}), ok, unreachable},
		"account is a path":          {changed(fields{"account_id": "../" + account[3:]}), ok, unreachable},
		"user is an object":          {changed(fields{"owner_id": fields{}}), ok, unreachable},
		"reseller is a text":         {changed(fields{"reseller_id": "me"}), ok, unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := with(t, c.tokenAuth, c.tokenInfo)
			w.refuses(t, good, c.want)
		})
	}
}

// TestTrialOver: the client gets the data that the other cluster would send.
func TestTrialOver(t *testing.T) {
	t.Parallel()
	w, _ := with(t, trialOver, nil)
	refusal, ok := errors.AsType[*fault.Error](w.refuses(t, good, fault.Invalid))
	if !ok {
		t.Fatal("no fault")
	}
	got, err := json.Marshal(refusal.Data)
	want := `{"account":{"expired":{"cause":63962541119,"message":"account expired"}}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// TestRequests: what another cluster is sent.
func TestRequests(t *testing.T) {
	t.Parallel()
	w, k := with(t, notFound, success(about(clusterA, nil)))
	w.accepts(t, good)
	w.accepts(t, token("another", 3600))
	if len(k.requests) != 4 {
		t.Fatalf("asked %v", k.lines())
	}
	get, post := k.requests[0], k.requests[1]
	if get.header.Get("X-Auth-Token") != good || get.body != "" {
		t.Errorf("GET %v %q", get.header, get.body)
	}
	if post.header.Get("Content-Type") != "application/json" || post.header.Get("X-Auth-Token") != "" ||
		post.body != `{"data":{"token":"`+good+`"}}` {
		t.Errorf("POST %v %q", post.header, post.body)
	}
	for _, r := range k.requests {
		if r.header.Get("Accept") != "application/json" || r.header.Get("Cookie") != "" ||
			r.header.Get("Authorization") != "" || strings.Contains(r.line, "ey") {
			t.Errorf("asked %s %v", r.line, r.header)
		}
	}
}

// TestOwnCopy: a caller may change the identity that it gets.
func TestOwnCopy(t *testing.T) {
	t.Parallel()
	w, _ := with(t, success(about(clusterA, fields{"is_master_account": false})), nil)
	w.accepts(t, good).Master = true
	if w.accepts(t, good).Master {
		t.Error("one caller made another the master")
	}
}
