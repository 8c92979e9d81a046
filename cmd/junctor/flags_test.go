package main

import (
	"flag"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFlagsAnywhere: flags stand before, between or after operands, as --name value or --name=value.
func TestFlagsAnywhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, args := range [][]string{
		{"account", "create", "A", "--json", "--store", home},
		{"account", "--json", "--store", home, "create", "A"},
		{"account", "create", "--store=" + home, "A", "--json=true"},
		{"account", "-json", "-store", home, "--", "create", "A"},
	} {
		ok(t, "bootstrap", "--store", home)
		if got := ok(t, args...); !strings.HasPrefix(got, `{"id":"`) {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args, env string
		operands  string
		text      string
		fails     string
	}{
		{args: "a --text x b", operands: "a b", text: "x"},
		{args: "a b", env: "x", operands: "a b", text: "x"},
		{args: "--text y", env: "x", text: "y"},
		{args: "--text=", env: "x", text: ""},
		{args: "-- --text x", operands: "--text x", text: "initial"},
		{args: "- a", operands: "- a", text: "initial"},
		{args: "a --other", fails: `there is no flag --other; "junctor test --help" lists them`},
		{args: "a --text", fails: "--text needs a value"},
		{args: "a", env: "bad", fails: "JUNCTOR_TEXT: it is bad"},
		{args: "--text bad", fails: "--text=bad: it is bad"},
	}
	for _, test := range tests {
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		var text string
		checked(fs, "text", "initial", "", func(given string) error {
			if text = given; given == "bad" {
				return usageError("it is bad")
			}
			return nil
		})
		operands, err := parse(fs, strings.Fields(test.args), environment{"JUNCTOR_TEXT": test.env}.get)
		if test.fails != "" {
			if err == nil || err.Error() != test.fails {
				t.Errorf("%q: got %v, want %s", test.args, err, test.fails)
			}
			continue
		}
		if err != nil || !slices.Equal(operands, strings.Fields(test.operands)) || text != test.text {
			t.Errorf("%q: got %q, %q, %v", test.args, operands, text, err)
		}
	}
}

// TestUsage: a mistake in the call is one clear line, exit code 2, and nothing is begun.
func TestUsage(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                               "no subcommand is given",
		"frobnicate":                     `unknown subcommand "frobnicate"`,
		"serve --frobnicate":             `there is no flag --frobnicate; "junctor serve --help"`,
		"serve x":                        `unexpected "x"`,
		"serve --listen 127.0.0.1":       "not HOST:PORT",
		"serve --listen 127.0.0.1:http":  `"http" is no port`,
		"serve --listen 127.0.0.1:70000": `"70000" is no port`,
		"serve --store=":                 "a store has a name",
		"serve --store http://":          "not the URL of a CouchDB",
		"serve --store http://admin:s3cret%zz@couch:5984":  "not the URL of a CouchDB",
		"doctor --store couchdb://couch:5984":              "begins with http:// or https://",
		"doctor --store HTTP://couch:5984":                 "begins with http:// or https://",
		"serve --trusted-proxies 10.0.0.0/33":              "neither an address nor a network",
		"serve --trusted-proxies 127.0.0.1,proxy.internal": `"proxy.internal" is neither`,
		"serve --trusted-proxies fe80::1%eth0":             "neither an address nor a network",
		"serve --zone us-east,us-west":                     "not the name of one zone",
		"serve --response-format xml":                      "neither documented nor crossbar",
		"serve --max-requests 0":                           "not a number from 1 up",
		"serve --max-staleness 1s":                         "neither 0 nor a time from 2s up",
		"serve --max-staleness 5":                          "neither 0 nor a time from 2s up",
		"serve --amqp-url http://broker":                   "--amqp-url: not amqp(s)://",
		"serve --billing-url ftp://hook":                   "--billing-url: not http(s)://",
		"serve --billing-on-error ask":                     "neither deny nor allow",
		"serve --lame-duck 5":                              "not a time",
		"serve --lame-duck -1s":                            "not a time",
		"serve --metrics-listen 9000":                      "not HOST:PORT",
		"serve --log-level loud":                           "neither debug, info, warn nor error",
		"serve --tour --store http://couch:5984":           "needs an embedded store",
		"version --json":                                   "no flag --json",
		"serve --master-cluster 0123":                      "not 32 digits and letters from a to f",
		"serve --issue-tokens=perhaps":                     "--issue-tokens=perhaps: it is neither true nor false",
		"serve --issue-tokens false":                       `unexpected "false"; the value of such a flag stands behind =`,
		"user create A admin --level root":                 "neither admin nor user",
		"user passwd A admin --password-stdin":             "standard input: not one line",
		"cluster add X http://a --api-key s3cret":          "no flag --api-key",
		"cluster add X http://a --api-key-stdin":           "standard input: not one line",
	}
	for args, want := range tests {
		o := call(t, nil, strings.Fields(args)...)
		if o.code != 2 || o.stdout != "" || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%q: %+v", args, o)
		}
	}
}

// TestSecretsInUsage: the URL of a store, a password or a key is not repeated when it is refused.
func TestSecretsInUsage(t *testing.T) {
	t.Parallel()
	const dsn = "http://admin:s3cret%zz@couch:5984"
	for _, o := range []outcome{
		call(t, nil, "serve", "--store", dsn),
		call(t, environment{"JUNCTOR_STORE": dsn}, "serve"),
		call(t, environment{"JUNCTOR_STORE": "htps://admin:s3cret@couch:5984"}, "doctor"),
		call(t, environment{"JUNCTOR_STORE": "http://admin:s3cret@couch:5984"}, "serve", "--help"),
		call(t, nil, "serve", "--amqp-url", "amqp://guest:s3cret%zz@broker/"),
		call(t, environment{"JUNCTOR_AMQP_URL": "amqp://guest:s3cret@broker:port/"}, "serve"),
		call(t, environment{"JUNCTOR_AMQP_URL": "amqp://guest:s3cret@broker/"}, "serve", "--help"),
		call(t, nil, "serve", "--billing-url", "http://junctor:s3cret%zz@hook/"),
		call(t, environment{"JUNCTOR_BILLING_URL": "http://hook:port/?key=s3cret"}, "serve"),
		call(t, environment{"JUNCTOR_BILLING_URL": "http://junctor:s3cret@hook/"}, "serve", "--help"),
		call(t, environment{"JUNCTOR_PASSWORD": "s3cret"}, "user", "--help"),
		call(t, environment{"JUNCTOR_PASSWORD": "s3cret", "JUNCTOR_LEVEL": "root"}, "user", "create", "A", "admin"),
		call(t, environment{"JUNCTOR_SECRET_KEY": "s3cret"}, "serve"),
		call(t, environment{"JUNCTOR_SECRET_KEY": "s3cret"}, "bootstrap", "--store", t.TempDir()),
		tell(t, nil, "s3cret\ns3cret\n", "user", "passwd", "A", "admin", "--password-stdin"),
	} {
		if strings.Contains(o.stdout+o.stderr, "s3cret") {
			t.Errorf("a secret is shown: %+v", o)
		}
	}
}

func TestServeConfig(t *testing.T) {
	t.Parallel()
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	c := &serveConfig{}
	c.define(fs)
	if c.listen != "127.0.0.1:8000" || c.dsn != "./junctor-data" || c.format != "documented" || c.maxRequests != 1024 ||
		!c.issueTokens || c.masterCluster != "" || c.billingAllows || c.maxStaleness != 5*time.Second ||
		c.lameDuck != 0 || c.metricsListen != "" {
		t.Errorf("by default %+v", c)
	}
	env := environment{
		"JUNCTOR_LISTEN": "[::1]:0", "JUNCTOR_STORE": "memory:", "JUNCTOR_READY_FILE": "r", "JUNCTOR_STATE_DIR": "s",
		"JUNCTOR_RESPONSE_FORMAT": "crossbar", "JUNCTOR_TRUSTED_PROXIES": "10.1.2.3/8, ::ffff:192.0.2.1,fd00::/8",
		"JUNCTOR_ZONE": "us-east", "JUNCTOR_MAX_REQUESTS": "7", "JUNCTOR_LOG_LEVEL": "warn", "JUNCTOR_TOUR": "true",
		"JUNCTOR_MASTER_CLUSTER": otherCluster, "JUNCTOR_ISSUE_TOKENS": "false",
		"JUNCTOR_AMQP_URL": "amqp://broker/", "JUNCTOR_BILLING_URL": "http://hook/", "JUNCTOR_BILLING_ON_ERROR": "allow",
		"JUNCTOR_MAX_STALENESS": "0", "JUNCTOR_LAME_DUCK": "5s", "JUNCTOR_METRICS_LISTEN": "127.0.0.1:9000",
		"JUNCTOR_KAZOO_URL": "http://kazoo:8000",
	}
	if _, err := parse(fs, []string{"--zone", "local"}, env.get); err != nil {
		t.Fatal(err)
	}
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"),
		netip.MustParsePrefix("fd00::/8")}
	if c.listen != "[::1]:0" || c.dsn != "memory:" || c.readyFile != "r" || c.stateDir != "s" || c.format != "crossbar" ||
		!slices.Equal(c.trustedProxies, networks) || c.zone != "local" || c.maxRequests != 7 ||
		c.logLevel.String() != "warn" || !c.tour || c.masterCluster != otherCluster || c.issueTokens ||
		c.amqpURL != "amqp://broker/" || c.billingURL != "http://hook/" || !c.billingAllows || c.maxStaleness != 0 ||
		c.lameDuck != 5*time.Second || c.metricsListen != "127.0.0.1:9000" || c.kazooURL != "http://kazoo:8000" {
		t.Errorf("from the environment %+v", c)
	}
	fs.VisitAll(func(f *flag.Flag) {
		if env[variable(f.Name)] == "" {
			t.Errorf("--%s has no test of its variable", f.Name)
		}
	})
}

func TestHelp(t *testing.T) {
	t.Parallel()
	overview := ok(t, "help")
	if ok(t, "--help") != overview || ok(t, "-h") != overview {
		t.Error("help differs from --help")
	}
	for _, c := range commands() {
		if !strings.Contains(overview, "  "+c.name+" ") {
			t.Errorf("%s is not in the overview", c.name)
		}
		for _, args := range [][]string{{c.name, "--help"}, {c.name, "x", "-h"}} {
			if got := ok(t, args...); !strings.HasPrefix(got, "Usage: junctor "+c.name) {
				t.Errorf("%v: %s", args, got)
			}
		}
	}
	if got := ok(t, "serve", "--help"); !strings.Contains(got, "JUNCTOR_TRUSTED_PROXIES") {
		t.Errorf("serve --help: %s", got)
	}
	if got := ok(t, "version"); got != "dev\n" {
		t.Errorf("version: %s", got)
	}
}
