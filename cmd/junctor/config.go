package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"junctor/pkg/api"
	"junctor/pkg/billing"
	"junctor/pkg/ipaddr"
	"junctor/pkg/kazoo"
	"junctor/pkg/store"
)

// serveConfig is what "junctor serve" can be told.
type serveConfig struct {
	site
	listen         string
	metricsListen  string
	lameDuck       time.Duration
	readyFile      string
	zone           string
	format         api.Format
	trustedProxies []netip.Prefix
	masterCluster  string
	issueTokens    bool
	maxRequests    int
	maxStaleness   time.Duration
	logLevel       zerolog.Level
	amqpURL        string
	billingURL     string
	kazooURL       string
	billingAllows  bool
	tour           bool
}

func (c *serveConfig) define(fs *flag.FlagSet) {
	c.site.define(fs)
	checked(fs, "listen", "127.0.0.1:8000", "address and port to listen on; port 0 picks a free one", c.setListen)
	checked(fs, "metrics-listen", "", "address and port to serve /metrics on, and there only; none is with the API",
		c.setMetricsListen)
	checked(fs, "lame-duck", "0s", "how long connections are accepted after SIGTERM, with /readyz 503, so that balancers "+
		"go elsewhere", c.setLameDuck)
	fs.StringVar(&c.readyFile, "ready-file", "", "file to write {\"url\",\"pid\"} to while requests are served")
	checked(fs, "response-format", string(api.Documented), "format of POST and DELETE of an account's ips: "+
		"documented or crossbar", c.setFormat)
	checked(fs, "trusted-proxies", "127.0.0.1", "comma-separated addresses and networks whose X-Forwarded-For is believed",
		c.setTrustedProxies)
	checked(fs, "zone", "", "Kazoo zone of this node: its settings count here, and its addresses come first in listings",
		c.setZone)
	checked(fs, "master-cluster", "", "id of the cluster whose master account is the operator's; none is the own cluster",
		c.setMasterCluster)
	fs.BoolVar(&c.issueTokens, "issue-tokens", true, "let users and API keys log in here; "+
		"beside a Kazoo they may as well do it there")
	checked(fs, "max-requests", "1024", "how many requests are served at once; more get 503", c.setMaxRequests)
	checked(fs, "max-staleness", "5s", "how far addresses in memory may be behind the store, and how old cached accounts, "+
		"users, keys and settings may be; 0 reads the store always", c.setMaxStaleness)
	checked(fs, "log-level", "info", "least level that is logged: debug, info, warn or error", c.setLogLevel)
	fs.StringVar(&c.amqpURL, "amqp-url", "", "amqp(s)://USER:PASSWORD@HOST:PORT/VHOST of a Kazoo's RabbitMQ, "+
		"which is told of changed addresses; none is nobody") // checked later: what fs refuses it repeats
	fs.StringVar(&c.billingURL, "billing-url", "", "http(s)://[USER:PASSWORD@]HOST[:PORT]/PATH of a billing hook, "+
		"which is asked before an account gets addresses; none is nobody") // checked later, as above
	fs.StringVar(&c.kazooURL, "kazoo-url", "", "http(s)://HOST[:PORT] of a Crossbar, which reconciles an account's services "+
		"after its addresses have changed; empty disables it") // checked later, as above
	checked(fs, "billing-on-error", "deny", "what becomes of an assignment that the billing hook gives no answer to: "+
		"deny or allow", c.setBillingOnError)
	fs.BoolVar(&c.tour, "tour", false, "print curl lines to try, an administrator's token in them, once ready")
}

func (c *serveConfig) check(operands []string, getenv func(string) string) error {
	if err := checkBroker(c.amqpURL); err != nil {
		return err
	}
	for flag, url := range map[string]string{"--billing-url": c.billingURL, "--kazoo-url": c.kazooURL} {
		if hasStrayAt(url) {
			return usageError(flag + ": " + errStrayAt.Error())
		}
	}
	if c.billingURL != "" {
		if err := billing.CheckURL(c.billingURL); err != nil {
			return usageError("--billing-url: " + err.Error())
		}
	}
	if c.kazooURL != "" {
		if _, err := kazooRoot(c.kazooURL); err != nil {
			return usageError("--kazoo-url: " + err.Error())
		}
	}
	if err := noOperands("serve", operands); err != nil {
		return err
	}
	if c.tour && store.IsCouchDB(c.dsn) {
		return usageError("serve: --tour needs an embedded store: a CouchDB may hold real accounts")
	}
	return c.site.check(getenv)
}

func (c *serveConfig) setListen(text string) error {
	c.listen = text
	return checkAddress(text)
}

func (c *serveConfig) setMetricsListen(text string) error {
	c.metricsListen = text
	if text == "" {
		return nil
	}
	return checkAddress(text)
}

func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("not HOST:PORT")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port", port)
	}
	return nil
}

func (c *serveConfig) setLameDuck(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("not a time, as 10s")
	}
	c.lameDuck = d
	return nil
}

func (c *serveConfig) setFormat(text string) error {
	format, ok := api.ParseFormat(text)
	if !ok {
		return errors.New("neither documented nor crossbar")
	}
	c.format = format
	return nil
}

func (c *serveConfig) setTrustedProxies(text string) error {
	var networks []netip.Prefix
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		network, err := parseNetwork(part)
		if err != nil {
			return err
		}
		networks = append(networks, network)
	}
	c.trustedProxies = networks
	return nil
}

// parseNetwork reads an address or a network. What is compared with it later is a plain IPv4 address where it can be
// one, so an IPv4-mapped address is taken as that.
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

// validZone is more than the zones of any Kazoo are made of, and rules out a list of them.
var validZone = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)

func (c *serveConfig) setZone(text string) error {
	c.zone = text
	return checkZone(text)
}

func checkZone(text string) error {
	if !validZone.MatchString(text) {
		return errors.New("not the name of one zone")
	}
	return nil
}

func (c *serveConfig) setMasterCluster(text string) error {
	if text != "" && !kazoo.IsID(text) {
		return errors.New("not 32 digits and letters from a to f")
	}
	c.masterCluster = text
	return nil
}

func (c *serveConfig) setMaxRequests(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("not a number from 1 up")
	}
	c.maxRequests = n
	return nil
}

// leastStaleness leaves room for a feed that tells once a second that there is nothing new.
const leastStaleness = 2 * time.Second

func (c *serveConfig) setMaxStaleness(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d != 0 && d < leastStaleness {
		return errors.New("neither 0 nor a time from 2s up")
	}
	c.maxStaleness = d
	return nil
}

func (c *serveConfig) setBillingOnError(text string) error {
	if text != "deny" && text != "allow" {
		return errors.New("neither deny nor allow")
	}
	c.billingAllows = text == "allow"
	return nil
}

func (c *serveConfig) setLogLevel(text string) error {
	switch text {
	case "debug", "info", "warn", "error":
		level, err := zerolog.ParseLevel(text)
		c.logLevel = level
		return err
	}
	return errors.New("neither debug, info, warn nor error")
}
