package main

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"junctor/pkg/testutil"
)

// TestFlagsAnywhere: flags stand before, between or after operands, as --name value or --name=value.
func TestFlagsAnywhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ok(t, "bootstrap", "--store", home)
	for _, args := range [][]string{
		{"account", "create", "A", "--json", "--store", home},
		{"account", "--json", "--store", home, "create", "A"},
		{"account", "create", "--store=" + home, "A", "--json=true"},
		{"account", "create", "--json", "--store", home, "--", "A"},
	} {
		if got := ok(t, args...); !strings.HasPrefix(got, `{"id":"`) {
			t.Errorf("%v: %s", args, got)
		}
	}
}

// TestFlagSources: the command line wins over the environment, and that over the configuration file.
func TestFlagSources(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.yaml")
	tests := []struct {
		args, env, file string
		operands        string
		zone            string
		fails           string
	}{
		{args: "a --zone x b", operands: "a b", zone: "x"},
		{args: "a b", env: "x", operands: "a b", zone: "x"},
		{args: "--zone y", env: "x", zone: "y"},
		{args: "--zone=", env: "x", zone: ""},
		{args: "-- --zone x", operands: "--zone x"},
		{args: "- a", operands: "- a"},
		{file: "zone: z\nlisten: 127.0.0.1:1\n", zone: "z"},
		{file: "zone: z", env: "x", zone: "x"},
		{file: "zone: z", env: "x", args: "--zone y", zone: "y"},
		{file: "# nothing"},
		{file: "trusted-proxies: [10.0.0.1, 10.0.0.2]\ntour: true\nmax-requests: 5"},
		{file: "zones: z", fails: `there is no setting "zones"`},
		{file: "config: z", fails: `there is no setting "config"`},
		{file: "zone: {a: b}", fails: "zone is neither a value nor a list of values"},
		{file: "zone", fails: "is not a YAML file of flags and their values: see near line 1"},
		{file: "zone: z\nlisten: [a", fails: "flags and their values: see near line 1"},
		{file: "zone: z\nlisten: a\nzone: b", fails: "flags and their values: see near line 3"},
		{file: "max-requests: many", fails: `config.yaml: max-requests: invalid argument "many" for "--max-requests" flag: must be an integer`},
		{args: "a --other", fails: `unknown flag: --other; see "serve --help"`},
		{args: "a --zone", fails: `flag needs an argument: --zone; see "serve --help"`},
		{args: "a --max-requests x", fails: `invalid argument "x" for "--max-requests" flag: must be an integer; see "serve --help"`},
		{args: "a", env: "x\n", operands: "a", zone: "x"},
	}
	for _, test := range tests {
		var flags serveFlags
		env := environment{"JUNCTOR_ZONE": test.env}
		if test.file != "" {
			write(t, config, test.file)
			env["JUNCTOR_CONFIG"] = config
		}
		operands, err := flags.parse(env, strings.Fields(test.args)...)
		if test.fails != "" {
			if err == nil || !strings.HasSuffix(err.Error(), test.fails) {
				t.Errorf("%+v: got %v", test, err)
			}
			continue
		}
		if err != nil || !slices.Equal(operands, strings.Fields(test.operands)) || flags.zone != test.zone {
			t.Errorf("%+v: got %q, %q, %v", test, operands, flags.zone, err)
		}
	}
}

// parse sets flags as a command does.
func (f *serveFlags) parse(env environment, args ...string) (operands []string, err error) {
	cmd := &cobra.Command{Use: "serve", RunE: func(_ *cobra.Command, args []string) error {
		operands = args
		return nil
	}, PersistentPreRunE: (&cli{getenv: env.get}).completeFlags, SilenceErrors: true, SilenceUsage: true}
	cmd.SetFlagErrorFunc(flagError)
	f.define(cmd.Flags())
	cmd.SetArgs(args)
	return operands, cmd.Execute()
}

// TestUsage: a mistake in the call is one clear line, exit code 2, and nothing is begun.
func TestUsage(t *testing.T) {
	t.Parallel()
	large := filepath.Join(t.TempDir(), "large")
	write(t, large, "")
	testutil.OK(t, os.Truncate(large, 1<<40))
	tests := map[string]string{
		"":                               `junctor: a command is missing; "junctor --help" lists them`,
		"--frobnicate":                   `junctor: a command is missing`,
		"frobnicate":                     `junctor: unknown command "frobnicate"; "junctor --help" lists the commands`,
		"frobnicate --store x":           `junctor: unknown command "frobnicate"; "junctor --help" lists the commands`,
		"help frobnicate":                `unknown command "frobnicate"; "junctor --help" lists the commands`,
		"help user frobnicate":           `unknown command "frobnicate"; "junctor user --help" lists the commands`,
		"user":                           `junctor: user: a command is missing; "junctor user --help" lists them`,
		"user frobnicate A jane":         `junctor: user: unknown command "frobnicate"; "junctor user --help"`,
		"user enable A":                  "junctor: user enable: an operand is missing; usage: junctor user enable ACCOUNT USERNAME",
		"user enable A jane x":           `junctor: user enable: unexpected "x"`,
		"completion":                     `junctor: completion: a command is missing`,
		"completion tcsh":                `junctor: completion: unknown command "tcsh"`,
		"completion bash x":              `junctor: completion bash: unexpected "x"`,
		"serve --frobnicate":             `junctor: serve: unknown flag: --frobnicate; see "junctor serve --help"`,
		"serve -listen x":                "unknown shorthand flag: 'l' in -listen",
		"serve --config /none":           "--config: open /none: no such file",
		"serve x":                        `unexpected "x"`,
		"serve --listen 127.0.0.1":       "must be ADDRESS:PORT",
		"serve --listen 127.0.0.1:http":  `"http" is not a port`,
		"serve --listen 127.0.0.1:70000": `"70000" is not a port`,
		"serve --store=":                 "must be a folder, memory:, or an http:// or https:// URL",
		"serve --store http://":          "not the URL of a CouchDB",
		"serve --store http://admin:s3cret%zz@couch:5984":  "not the URL of a CouchDB",
		"doctor --store couchdb://couch:5984":              "or an http:// or https:// URL",
		"doctor --store HTTP://couch:5984":                 "or an http:// or https:// URL",
		"serve --trusted-proxies 10.0.0.0/33":              "neither an address nor a network",
		"serve --trusted-proxies 127.0.0.1,proxy.internal": `"proxy.internal" is neither`,
		"serve --trusted-proxies fe80::1%eth0":             "neither an address nor a network",
		"serve --zone us-east,us-west":                     "not the name of one zone",
		"serve --response-format xml":                      "neither documented nor crossbar",
		"serve --max-requests 0":                           "not a number from 1 up",
		"serve --max-staleness 1s":                         "must be 0 or at least 2s",
		"serve --max-staleness 5":                          `invalid argument "5" for "--max-staleness" flag: must be a duration`,
		"serve --amqp-url http://broker":                   "--amqp-url: not amqp(s)://",
		"serve --billing-url ftp://hook":                   "--billing-url: not http(s)://",
		"serve --billing-on-error ask":                     "neither deny nor allow",
		"serve --ready-file flags_test.go":                 "another file has that name",
		"serve --ready-file /dev/null":                     "another file has that name",
		"serve --ready-file " + large:                      "another file has that name",
		"serve --store s --ready-file s/junctor.sock":      "a file of the store itself",
		"serve --lame-duck 5":                              `invalid argument "5" for "--lame-duck" flag: must be a duration`,
		"serve --lame-duck -1s":                            "--lame-duck: it is negative",
		"serve --metrics-listen 9000":                      "must be ADDRESS:PORT",
		"serve --log-level loud":                           "neither debug, info, warn nor error",
		"serve --tour --store http://couch:5984":           "needs an embedded store",
		"serve --master-cluster 0123":                      "not 32 digits and letters from a to f",
		"serve --issue-tokens=perhaps":                     `invalid argument "perhaps" for "--issue-tokens" flag: must be true or false`,
		"serve --issue-tokens false":                       `unexpected "false"; the value of such a flag follows =`,
		"serve --tls-cert c.pem":                           "--tls-key: it is missing",
		"serve --tls-key k.pem":                            "--tls-cert: it is missing",
		"serve --kazoo-url crossbar:8000":                  "--kazoo-url: the URL has to begin with https:// or http://",
		"serve --kazoo-url ftp://crossbar":                 "has to begin with https:// or http://",
		"serve --kazoo-url http://user:s3cret@crossbar":    "must not hold a user or a password",
		"doctor --kazoo-url http://crossbar/?key=s3cret":   "must not hold a query",
		"doctor --kazoo-url http://:8000":                  "names no host",
		"doctor --kazoo-url http://crossbar:port/?s3cret":  "not a URL",
		"doctor now":                                `unexpected "now"`,
		"doctor --zone a,b":                         "not the name of one zone",
		"doctor --store http://":                    "--store",
		"doctor --amqp-url http://u:s3cret@b":       "--amqp-url",
		"doctor --amqp-url amqp://u:s3cret@b:port/": "--amqp-url",
		"ips rebuild":                               "--from-copies is missing",
		"ips rebuild --from-copies --confirm":       "unknown flag: --confirm",
		"ips repair --from-copies":                  "unknown flag: --from-copies",
		"ips repair now":                            `unexpected "now"`,
		"user create A admin --level root":          "neither admin nor user",
		"user passwd A admin --password-stdin":      "standard input: it does not hold one line",
		"cluster add X http://a --api-key s3cret":   "unknown flag: --api-key",
		"cluster add X http://a --api-key-stdin":    "standard input: it does not hold one line",
	}
	for args, want := range tests {
		o := call(t, nil, strings.Fields(args)...)
		if o.code != 2 || o.stdout != "" || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 ||
			strings.Contains(o.stderr, "s3cret") {
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

// TestEmptyFlag: a flag from a variable that is not set does not make a command one about everything.
func TestEmptyFlag(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"ips list --account=", "ips export --account=", "ips export --zone=", "ips list --cidr=", "token --account=",
		"ips history --account=", "ips history 192.0.2.1 --at=", "ips allocate A 1 --zone=", "account create A --parent=",
		"account create A --user=", "history prune --before=", "ips import - --zone="} {
		o := call(t, nil, append(strings.Fields(command), "--store", t.TempDir())...)
		if o.code != 2 || !strings.HasSuffix(o.stderr, " must not be empty\n") {
			t.Errorf("%s: %+v", command, o)
		}
	}
}

// TestNoVariable: what a command does only if it is told so cannot be told by the environment.
func TestNoVariable(t *testing.T) {
	t.Parallel()
	for command, flag := range map[string]string{
		"import": "overwrite", "ips repair": "confirm", "ips rebuild": "from-copies",
		"ips delete": "force", "ips assign": "ignore-cooling",
	} {
		help := ok(t, append(strings.Fields(command), "--help")...)
		if !strings.Contains(help, "--"+flag) || strings.Contains(help, variable(flag)) {
			t.Errorf("%s:\n%s", command, help)
		}
	}
	o := call(t, environment{"JUNCTOR_FROM_COPIES": "true"}, "ips", "rebuild", "--store", t.TempDir())
	if o.code != 2 || !strings.Contains(o.stderr, "--from-copies is missing") {
		t.Errorf("%+v", o)
	}
}

// TestServeConfig: the defaults of serve, and a value for each flag from its variable.
func TestServeConfig(t *testing.T) {
	t.Parallel()
	c := &serveFlags{}
	_, err := c.parse(nil)
	want := serveFlags{
		storeFlags: storeFlags{dsn: "./junctor-data"}, listen: "127.0.0.1:8000", responseFormat: "documented",
		proxies: "127.0.0.1", issueTokens: true, console: true, maxRequests: 1024, maxStaleness: 5 * time.Second,
		logLevel: "info", logFormat: "auto", billingOnError: "deny",
	}
	if err != nil || !reflect.DeepEqual(*c, want) {
		t.Errorf("by default %+v, %v", c, err)
	}
	env := environment{
		"JUNCTOR_LISTEN": "[::1]:0", "JUNCTOR_STORE": "memory:", "JUNCTOR_READY_FILE": "r", "JUNCTOR_STATE_DIR": "s",
		"JUNCTOR_RESPONSE_FORMAT": "crossbar", "JUNCTOR_TRUSTED_PROXIES": "10.1.2.3/8, ::ffff:192.0.2.1,fd00::/8",
		"JUNCTOR_ZONE": "us-east", "JUNCTOR_MAX_REQUESTS": "7", "JUNCTOR_LOG_LEVEL": "warn", "JUNCTOR_TOUR": "true",
		"JUNCTOR_MASTER_CLUSTER": otherCluster, "JUNCTOR_ISSUE_TOKENS": "false", "JUNCTOR_CONSOLE": "false",
		"JUNCTOR_AMQP_URL": "amqp://broker/", "JUNCTOR_BILLING_URL": "http://hook/", "JUNCTOR_BILLING_ON_ERROR": "allow",
		"JUNCTOR_MAX_STALENESS": "0", "JUNCTOR_LAME_DUCK": "5s", "JUNCTOR_METRICS_LISTEN": "127.0.0.1:9000",
		"JUNCTOR_KAZOO_URL": "http://kazoo:8000", "JUNCTOR_TLS_CERT": "cert.pem", "JUNCTOR_TLS_KEY": "key.pem",
		"JUNCTOR_LOG_FORMAT": "text", "JUNCTOR_OTLP_ENDPOINT": "http://collector:4318",
	}
	_, err = c.parse(env, "--zone", "local")
	if err = errors.Join(err, c.check(env.get)); err != nil {
		t.Fatal(err)
	}
	want = serveFlags{
		storeFlags: storeFlags{dsn: "memory:", stateDir: "s"}, listen: "[::1]:0", readyFile: "r", responseFormat: "crossbar",
		proxies: env["JUNCTOR_TRUSTED_PROXIES"], zone: "local", maxRequests: 7, logLevel: "warn", tour: true,
		masterCluster: otherCluster, amqpURL: "amqp://broker/", billingURL: "http://hook/", billingOnError: "allow",
		lameDuck: 5 * time.Second, metricsListen: "127.0.0.1:9000", kazooURL: "http://kazoo:8000", tlsCert: "cert.pem",
		tlsKey: "key.pem", logFormat: "text", otlpEndpoint: "http://collector:4318",
		trustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"),
			netip.MustParsePrefix("fd00::/8")},
	}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("from the environment %+v", c)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.define(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if env[variable(f.Name)] == "" && f.Name != "config" { // that is of TestFlagSources
			t.Errorf("--%s has no test of its variable", f.Name)
		}
	})
}
