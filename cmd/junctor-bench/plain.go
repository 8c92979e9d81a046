package main

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-kivik/kivik/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/mux"

	"junctor/pkg/account"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/document"
	"junctor/pkg/kazoo"
	"junctor/pkg/routing"
)

// plainServer is the measured endpoints written the simplest way: each request reads the documents and the rows of
// views that it needs from CouchDB, through kivik. Tokens are verified as Kazoo does. Only the settings and the signing
// keys are read once. The views are Kazoo's, and by_address of routing.
type plainServer struct {
	couch          *kivik.Client
	master, secret string   // of the cluster: the id of the master account, and its secret in tokens
	keys           sync.Map // key id: *rsa.PublicKey
}

// newPlain returns the handler of a plainServer. The setup is the URL of the CouchDB.
func newPlain(ctx context.Context, setup json.RawMessage) (http.Handler, error) {
	var dsn string
	if err := json.Unmarshal(setup, &dsn); err != nil {
		return nil, err
	}
	couch, err := dial(dsn)
	if err != nil {
		return nil, err
	}
	var accounts, auth struct {
		Default struct {
			Master string `json:"master_account_id"`
			Secret string `json:"secret_for_user_signature"`
		}
	}
	config := couch.DB(kazoo.SystemConfig)
	err = errors.Join(config.Get(ctx, "accounts").ScanDoc(&accounts), config.Get(ctx, "auth").ScanDoc(&auth))
	p := &plainServer{couch: couch, master: accounts.Default.Master, secret: auth.Default.Secret}
	router := mux.NewRouter()
	ips := router.PathPrefix("/v2/accounts/{account}/ips").Methods(http.MethodGet).Subrouter()
	ips.HandleFunc("", p.handle(p.available))
	ips.HandleFunc("/assigned", p.handle(p.assigned))
	ips.HandleFunc("/zones", p.handle(p.zones))
	ips.HandleFunc("/{ip}", p.handle(p.one))
	router.HandleFunc("/v2/routing/lookup", p.handle(p.lookup)).Methods(http.MethodGet)
	return router, err
}

// members are those of a JSON object.
type members map[string]any

// refusal is an error with a status, as kivik's are.
type refusal int

func (r refusal) Error() string   { return http.StatusText(int(r)) }
func (r refusal) HTTPStatus() int { return int(r) }

// handle authenticates a request, checks that it may read the account in its path, and writes an envelope around the
// data that read returns.
func (p *plainServer) handle(
	read func(r *http.Request, holder holderDocument, envelope members) (any, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("X-Auth-Token")
		envelope := members{
			"auth_token": token, "node": "plain", "request_id": rand.Text(), "status": "success",
			"timestamp": time.Now().UTC().Format(time.RFC3339), "version": "1",
		}
		var data any
		holder, err := p.authenticate(r.Context(), token)
		if err == nil {
			err = p.authorize(r.Context(), holder, mux.Vars(r)["account"])
		}
		if err == nil {
			data, err = read(r, holder, envelope)
		}
		status := http.StatusOK
		if err != nil {
			status = kivik.HTTPStatus(err)
			data, envelope["status"] = members{}, "error"
			envelope["error"], envelope["message"] = strconv.Itoa(status), http.StatusText(status)
		}
		text, _ := json.Marshal(data)
		revision := document.MD5(text)
		envelope["data"], envelope["revision"] = json.RawMessage(text), revision
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"`+revision+`"`)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(envelope)
	}
}

// holderDocument is what counts of the document of an account.
type holderDocument struct {
	ID         string   `json:"_id"`
	Tree       []string `json:"pvt_tree"`
	Superduper bool     `json:"pvt_superduper_admin"`
	Enabled    *bool    `json:"pvt_enabled"`
	Deleted    bool     `json:"pvt_deleted"`
	Secret     string   `json:"pvt_signature_secret"`
}

func (p *plainServer) account(ctx context.Context, id string) (doc holderDocument, err error) {
	db, err := account.Database(id)
	if err == nil {
		err = p.couch.DB(db).Get(ctx, id).ScanDoc(&doc)
	}
	return doc, err
}

// authenticate returns the account of a token.
func (p *plainServer) authenticate(ctx context.Context, token string) (holder holderDocument, err error) {
	var claims struct {
		jwt.RegisteredClaims
		AccountID   string `json:"account_id"`
		IdentitySig string `json:"identity_sig"`
	}
	_, err = jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) { return p.key(ctx, t) },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("kazoo"))
	if err == nil {
		holder, err = p.account(ctx, claims.AccountID)
	}
	mac := hmac.New(sha256.New, []byte(holder.Secret+p.secret))
	mac.Write([]byte(holder.ID))
	genuine := claims.IdentitySig == base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	if err != nil || !genuine || holder.Deleted || holder.Enabled != nil && !*holder.Enabled {
		return holder, refusal(http.StatusUnauthorized)
	}
	return holder, nil
}

// key returns the key that a token was signed with.
func (p *plainServer) key(ctx context.Context, t *jwt.Token) (*rsa.PublicKey, error) {
	id, _ := t.Header["kid"].(string)
	if key, ok := p.keys.Load(id); ok {
		return key.(*rsa.PublicKey), nil
	}
	if !kazoo.IsID(id) {
		return nil, refusal(http.StatusUnauthorized)
	}
	file, err := p.couch.DB(kazoo.SystemAuth).GetAttachment(ctx, id, "private_key.pem")
	if err != nil {
		return nil, err
	}
	defer file.Content.Close()
	text, err := io.ReadAll(file.Content)
	if err != nil {
		return nil, err
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(text)
	if err != nil {
		return nil, err
	}
	p.keys.Store(id, &key.PublicKey)
	return &key.PublicKey, nil
}

// authorize refuses accounts that are neither the holder's nor below it. An empty id is no account.
func (p *plainServer) authorize(ctx context.Context, holder holderDocument, id string) error {
	if id == "" || id == holder.ID || holder.Superduper {
		return nil
	}
	if of, err := p.account(ctx, id); err != nil || !slices.Contains(of.Tree, holder.ID) {
		return refusal(http.StatusForbidden)
	}
	return nil
}

// one reads an address.
func (p *plainServer) one(r *http.Request, holder holderDocument, _ members) (any, error) {
	var doc struct {
		ID         string `json:"_id"`
		Zone       string `json:"pvt_zone"`
		Host       string `json:"pvt_host"`
		Status     string `json:"pvt_status"`
		Type       string `json:"pvt_type"`
		AssignedTo string `json:"pvt_assigned_to"`
	}
	if err := p.couch.DB(dedicatedip.Database).Get(r.Context(), mux.Vars(r)["ip"]).ScanDoc(&doc); err != nil {
		return nil, err
	}
	data := members{
		"id": doc.ID, "ip": doc.ID, "zone": doc.Zone, "host": doc.Host, "status": doc.Status, "type": doc.Type,
	}
	if doc.AssignedTo != "" {
		if doc.AssignedTo != mux.Vars(r)["account"] && !holder.Superduper {
			return nil, refusal(http.StatusNotFound)
		}
		data["assigned_to"] = doc.AssignedTo
	}
	return data, nil
}

// listed is an address in a listing.
type listed struct {
	IP   string `json:"ip"`
	Zone string `json:"zone"`
}

// assigned reads the addresses of an account, and sorts them.
func (p *plainServer) assigned(r *http.Request, _ holderDocument, _ members) (any, error) {
	list, err := query(r, p.couch.DB(dedicatedip.Database), "assigned_to_listing",
		members{"key": mux.Vars(r)["account"]}, value[listed])
	slices.SortFunc(list, func(a, b listed) int {
		first, _ := netip.ParseAddr(a.IP)
		second, _ := netip.ParseAddr(b.IP)
		return cmp.Or(first.Compare(second), cmp.Compare(a.IP, b.IP))
	})
	return list, err
}

// zones reads the zones.
func (p *plainServer) zones(r *http.Request, _ holderDocument, _ members) (any, error) {
	names, err := query(r, p.couch.DB(dedicatedip.Database), "zone_listing", members{"group": true},
		func(rows *kivik.ResultSet) (name string, err error) {
			err = rows.ScanKey(&name)
			return name, err
		})
	slices.Sort(names)
	return names, err
}

// available reads a page of available addresses. A start key is the first of them, as JSON.
func (p *plainServer) available(r *http.Request, _ holderDocument, envelope members) (any, error) {
	size, err := strconv.Atoi(r.URL.Query().Get("page_size"))
	if err != nil || size < 1 {
		return nil, refusal(http.StatusBadRequest)
	}
	params := members{"limit": size + 1}
	if text := r.URL.Query().Get("start_key"); text != "" {
		var first listed
		if json.Unmarshal([]byte(text), &first) != nil {
			return nil, refusal(http.StatusBadRequest)
		}
		params["startkey"], params["startkey_docid"] = first.Zone, first.IP
	}
	list, err := query(r, p.couch.DB(dedicatedip.Database), "available_listing", params, value[listed])
	if err == nil && len(list) > size {
		next, _ := json.Marshal(list[size])
		list, envelope["next_start_key"] = list[:size], string(next)
	}
	envelope["page_size"] = len(list)
	return list, err
}

// lookup reads which cluster has an address. Only the master account may.
func (p *plainServer) lookup(r *http.Request, holder holderDocument, envelope members) (any, error) {
	if holder.ID != p.master {
		return nil, refusal(http.StatusForbidden)
	}
	envelope["max_age_s"] = 30
	direction := r.URL.Query().Get("direction")
	key := []string{direction, r.URL.Query().Get("ip")}
	return query(r, p.couch.DB(routing.Database), "by_address", members{"key": key},
		func(rows *kivik.ResultSet) (routing.Owner, error) {
			owner, err := value[routing.Owner](rows)
			owner.Direction = direction
			if err == nil {
				owner.ClusterID, err = rows.ID()
			}
			return owner, err
		})
}

// query reads the rows of a view of the design document that is named as the database.
func query[T any](
	r *http.Request, db *kivik.DB, view string, params members, scan func(*kivik.ResultSet) (T, error),
) ([]T, error) {
	rows := db.Query(r.Context(), db.Name(), view, kivik.Params(params))
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// value reads the value of a row.
func value[T any](rows *kivik.ResultSet) (v T, err error) {
	err = rows.ScanValue(&v)
	return v, err
}
