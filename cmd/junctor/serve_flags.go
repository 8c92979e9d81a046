package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"junctor/pkg/api"
	"junctor/pkg/billing"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/notify"
	"junctor/pkg/store"
)

// serveFlags are the flags of "junctor serve".
type serveFlags struct {
	storeFlags
	configFile     string // see completeFlags
	listen         string
	metricsListen  string
	lameDuck       time.Duration
	readyFile      string
	zone           string
	responseFormat string
	proxies        string
	masterCluster  string
	issueTokens    bool
	console        bool
	maxRequests    int
	maxStaleness   time.Duration
	logLevel       string
	logFormat      string
	otlpEndpoint   string
	tlsCert        string
	tlsKey         string
	amqpURL        string
	billingURL     string
	billingOnError string
	kazooURL       string
	tour           bool

	trustedProxies []netip.Prefix // parsed from proxies by check
}

// The usage of flags that more than one command has.
const (
	amqpUsage  = "`URL` of a Kazoo's RabbitMQ: amqp(s)://USER:PASSWORD@HOST:PORT/VHOST"
	kazooUsage = "`URL` of a Crossbar, http(s)://HOST[:PORT], that reconciles an account's services after its addresses " +
		"have changed"
)

func (f *serveFlags) define(flags *pflag.FlagSet) {
	f.storeFlags.define(flags)
	flags.StringVar(&f.configFile, configFlag, "", "YAML `FILE` with values of flags; the command line and the "+
		"environment win")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8000", "`ADDRESS:PORT` to listen on; port 0 picks a free one")
	flags.StringVar(&f.metricsListen, "metrics-listen", "",
		"`ADDRESS:PORT` to serve /metrics on, and only there (default with the API)")
	flags.DurationVar(&f.lameDuck, "lame-duck", 0, "`TIME` for which connections are accepted after SIGTERM, while /readyz is 503")
	flags.StringVar(&f.readyFile, "ready-file", "", "`FILE` with the server's URL and process id while requests are served")
	choiceVar(flags, &f.responseFormat, "response-format", string(api.Documented),
		"`FORMAT` of POST and DELETE of an account's ips: documented or crossbar",
		string(api.Documented), string(api.Crossbar))
	flags.StringVar(&f.proxies, "trusted-proxies", "127.0.0.1",
		"comma-separated `ADDRESSES` and networks whose X-Forwarded-For is believed")
	flags.StringVar(&f.zone, "zone", "", "Kazoo `ZONE` of this node: its settings apply, and its addresses come first in "+
		"listings")
	flags.StringVar(&f.masterCluster, "master-cluster", "",
		"`ID` of the cluster whose master account may manage all clusters (default: the own one)")
	flags.BoolVar(&f.issueTokens, "issue-tokens", true, "let users and API keys log in here; beside a Kazoo they can log "+
		"in there instead")
	flags.BoolVar(&f.console, "console", true, "serve the web console at /console/")
	flags.IntVar(&f.maxRequests, "max-requests", 1024, "`NUMBER` of requests served at once; more get 503")
	flags.DurationVar(&f.maxStaleness, "max-staleness", 5*time.Second, "`AGE` up to which addresses in memory, and cached "+
		"accounts, users, keys and settings, may be behind the store; 0 always reads the store")
	choiceVar(flags, &f.logLevel, "log-level", "info", "lowest `LEVEL` that is logged: debug, info, warn or error",
		"debug", "info", "warn", "error")
	choiceVar(flags, &f.logFormat, "log-format", "auto",
		"`FORMAT` of log lines: json, text, or auto, which is text on a terminal and json elsewhere",
		"auto", "json", "text")
	flags.StringVar(&f.otlpEndpoint, "otlp-endpoint", "",
		"`URL` of an OpenTelemetry collector, http(s)://HOST[:PORT], that takes spans over OTLP/HTTP")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "PEM `FILE` with the certificate chain that is served; with --tls-key")
	flags.StringVar(&f.tlsKey, "tls-key", "", "PEM `FILE` with the key of --tls-cert")
	flags.StringVar(&f.amqpURL, "amqp-url", "", amqpUsage+"; change notices are published there")
	flags.StringVar(&f.billingURL, "billing-url", "", "`URL` of a billing hook, which approves what accounts are "+
		"assigned: http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH")
	choiceVar(flags, &f.billingOnError, "billing-on-error", "deny", "`ACTION` on an assignment if the billing hook does "+
		"not respond: deny or allow", "deny", "allow")
	flags.StringVar(&f.kazooURL, "kazoo-url", "", kazooUsage)
	flags.BoolVar(&f.tour, "tour", false, "print curl lines to try, with an administrator's token, once ready")
	mark(flags, "amqp-url", isSecret)
	mark(flags, "billing-url", isSecret)
}

// leastStaleness leaves room for a feed that reports once a second that nothing is new.
const leastStaleness = 2 * time.Second

// check validates the flags, but for what completeFlags has checked.
func (f *serveFlags) check(getenv func(string) string) (err error) {
	f.trustedProxies, err = parseProxies(f.proxies)
	err = checkFlags([]flagCheck{
		{"trusted-proxies", err},
		{"listen", checkAddress(f.listen)},
		{"metrics-listen", optional(f.metricsListen, checkAddress)},
		{"ready-file", optional(f.readyFile, f.checkReadyFile)},
		{"lame-duck", check(f.lameDuck >= 0, "it is negative")},
		{"zone", checkZone(f.zone)},
		{"master-cluster", check(f.masterCluster == "" || kazoo.IsID(f.masterCluster),
			"not 32 digits and letters from a to f")},
		{"max-requests", check(f.maxRequests > 0, "not a number from 1 up")},
		{"max-staleness", check(f.maxStaleness == 0 || f.maxStaleness >= leastStaleness, "must be 0 or at least 2s")},
		{"otlp-endpoint", optional(f.otlpEndpoint, checkCollector)},
		{"tls-cert", check(f.tlsCert != "" || f.tlsKey == "", "it is missing: --tls-key needs it")},
		{"tls-key", check(f.tlsKey != "" || f.tlsCert == "", "it is missing: --tls-cert needs it")},
		{"amqp-url", optional(f.amqpURL, checkBroker)},
		{"billing-url", optional(f.billingURL, checkHook)},
		{"kazoo-url", optional(f.kazooURL, checkKazoo)},
		{"tour", check(!f.tour || !store.IsCouchDB(f.dsn), "it needs an embedded store: a CouchDB may hold real accounts")},
	})
	if err != nil {
		return err
	}
	return f.storeFlags.check(getenv)
}

// flagCheck is what is wrong with the value of a flag, nil if nothing is. It does not repeat the value, which may have
// a password in it.
type flagCheck struct {
	flag string
	err  error
}

// checkFlags returns the first error as one of usage.
func checkFlags(checks []flagCheck) error {
	for _, c := range checks {
		if c.err != nil {
			return usageError("--" + c.flag + ": " + c.err.Error())
		}
	}
	return nil
}

func check(ok bool, text string) error {
	if ok {
		return nil
	}
	return errors.New(text)
}

// optional applies a check to a value that is not empty.
func optional(value string, check func(string) error) error {
	if value == "" {
		return nil
	}
	return check(value)
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("must be ADDRESS:PORT, as 127.0.0.1:8000")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	}
	return nil
}

// parseProxies parses a comma-separated list of addresses and networks.
func parseProxies(text string) (networks []netip.Prefix, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		network, err := parseNetwork(part)
		if err != nil {
			return nil, err
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// parseNetwork parses an address or a network. It is compared with addresses that are plain IPv4 if they can be, so an
// IPv4-mapped address is returned as IPv4.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, ok := ipaddr.Parse(text); ok {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil || network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network", text)
	}
	return network.Masked(), nil
}

// validZone allows more than the zones of any Kazoo are made of, and no list of them.
var validZone = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)

func checkZone(text string) error {
	return check(validZone.MatchString(text), "not the name of one zone")
}

func checkCollector(text string) error {
	u, err := url.Parse(text)
	ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
	return check(ok, "must be http(s)://HOST[:PORT], without a user")
}

func checkBroker(url string) error { return cmp.Or(notify.CheckURL(url), checkNoStrayAt(url)) }

func checkHook(url string) error { return cmp.Or(checkNoStrayAt(url), billing.CheckURL(url)) }

func checkKazoo(url string) error {
	_, err := kazooRoot(url)
	return cmp.Or(checkNoStrayAt(url), err)
}
