package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/account"
	"junctor/pkg/accountlist"
	"junctor/pkg/api"
	"junctor/pkg/auth"
	"junctor/pkg/auth/lookupkey"
	"junctor/pkg/auth/ratelimit"
	"junctor/pkg/auth/remote"
	"junctor/pkg/auth/trust"
	"junctor/pkg/billing"
	"junctor/pkg/console"
	"junctor/pkg/crossbar"
	"junctor/pkg/dedicatedip"
	"junctor/pkg/doccache"
	"junctor/pkg/history"
	"junctor/pkg/inventory"
	"junctor/pkg/metrics"
	"junctor/pkg/notify"
	"junctor/pkg/projection"
	"junctor/pkg/routing"
	"junctor/pkg/schema"
	"junctor/pkg/store"
	"junctor/schemas"
)

// app is an open store with what works on it.
type app struct {
	log         zerolog.Logger
	home        string // see openHome
	store       *store.Store
	documents   *doccache.Cache  // accounts, users, keys and settings
	writer      *doccache.Writer // the store, with writes that invalidate documents
	schemas     *schema.Set
	pool        *dedicatedip.Pool
	history     *history.Log           // of the pool
	reconciler  *projection.Reconciler // of the accounts' copies
	provisioner *account.Provisioner
	accounts    *account.Directory
	clusters    *trust.Registry   // other clusters, whose tokens are accepted
	routing     *routing.Registry // routing clusters
	lookupKeys  *lookupkey.Registry
	issuer      *auth.Issuer
	accountList *accountlist.List
	inventory   *inventory.Inventory
	billing     *billing.Hook // nil disables it
}

// appOptions are the options of newApp.
type appOptions struct {
	home      string // see openHome
	key       keySource
	staleness time.Duration // of cached accounts, users, keys and settings
	node      account.Node
	log       zerolog.Logger
	copies    projection.Options // but for what the pool sets
	passes    projection.ReconcilerOptions
	billing   *billing.Hook     // approves assignments; nil disables it
	notices   *notify.Publisher // publishes what is written to the pool and to accounts; nil disables it
}

func newApp(s *store.Store, o appOptions) (*app, error) {
	set, err := schema.Load(schemas.Files)
	if err != nil {
		return nil, err
	}
	documents := doccache.New(s, doccache.Options{Staleness: o.staleness})
	writer := documents.Writer(s)
	var addresses dedicatedip.Store = s
	if o.notices != nil {
		addresses = notify.Wrap(s, o.notices)
	}
	events := history.New(s, time.Now, o.log)
	settings := account.NewConfig(documents).At(o.node)
	pool := dedicatedip.New(addresses, dedicatedip.Options{
		Zone: o.node.Zone, ZoneName: settings.ZoneName, Settings: settings, Copies: o.copies, History: events, Log: o.log,
	})
	accounts := account.NewDirectory(writer).Reading(documents).At(o.node)
	accountList := accountlist.New(s, accounts, o.staleness, o.log)
	return &app{
		log:         o.log,
		home:        o.home,
		store:       s,
		documents:   documents,
		writer:      writer,
		billing:     o.billing,
		schemas:     set,
		pool:        pool,
		history:     events,
		reconciler:  projection.NewReconciler(pool.Projector(), s, o.passes),
		provisioner: account.NewProvisioner(writer, auth.NewKeyDocument, time.Now),
		accounts:    accounts,
		accountList: accountList,
		inventory:   inventory.New(pool, accountList, s),
		routing:     routing.New(s, set, routing.Options{Log: o.log}),
		lookupKeys:  lookupkey.NewRegistry(writer, time.Now),
		issuer:      auth.NewIssuer(writer, time.Now).At(o.node),
		clusters:    trust.NewRegistry(writer, trust.Options{Key: o.key, Documents: documents}),
	}, nil
}

// bootstrap makes the store usable.
func (a *app) bootstrap(ctx context.Context) (account.Bootstrapped, error) {
	b, err := a.provisioner.Bootstrap(ctx)
	if err != nil {
		return b, err
	}
	return b, installWithoutPool(ctx, a.store)
}

// newAPI returns the API of a server.
func (s *server) newAPI(m *metrics.Metrics, others *remote.Introspector) *api.Server {
	var pages map[string]http.Handler
	if s.console {
		pages = console.Handlers(console.Options{IssueTokens: s.issueTokens})
	}
	return api.New(api.Config{
		Console: pages,
		Config: crossbar.Config{
			Tracer:   s.tracer,
			Accounts: s.accounts,
			Tokens: auth.NewAuthenticator(s.store, auth.Options{
				Documents: s.documents, MasterCluster: s.masterCluster, Node: s.node(),
			}),
			Throttle:       ratelimit.New(time.Now),
			Clusters:       others,
			MaxRequests:    s.maxRequests,
			TrustedProxies: s.trustedProxies,
			Node:           nodeName(),
			Version:        version(),
			Now:            time.Now,
			Log:            s.log,
		},
		Pool:            s.pool,
		Inventory:       s.inventory,
		History:         s.history,
		Routing:         s.routing,
		Issuer:          s.issuer,
		Schemas:         s.schemas,
		Metrics:         m,
		Billing:         s.billing,
		IssueTokens:     s.issueTokens,
		Ready:           s.readiness,
		Health:          func(ctx context.Context) api.Health { return s.health(ctx, m) },
		SeparateMetrics: s.metricsListen != "",
		Format:          api.Format(s.responseFormat),
	})
}

// node returns what the settings call this process.
func (f *serveFlags) node() account.Node { return account.Node{Name: nodeName(), Zone: f.zone} }

// nodeName returns the name of this process, in the form of Kazoo's nodes.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "junctor@" + host
}
