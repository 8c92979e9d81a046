package main

import (
	"net/http"
	"strings"
	"testing"

	"junctor/pkg/account"
	"junctor/pkg/document"
	"junctor/pkg/testutil"
)

// logInUser returns what a user's login comes to.
func (s *served) logInUser(accountName, username, password string) (status int, token string) {
	s.Helper()
	credentials := account.HashPassword(account.MD5, username, password).Value
	status, envelope := s.request("PUT", "/v2/user_auth", "",
		`{"data":{"credentials":"`+credentials+`","account_name":"`+accountName+`"}}`)
	token, _ = envelope["auth_token"].(string)
	return status, token
}

// TestUsers does one list of tasks through the socket of a server, on a store that nobody serves, and on a CouchDB:
// they come to the same, and the users can log in or can't.
func TestUsers(t *testing.T) {
	t.Parallel()
	const first, second, third = "pass word\\:1", "päss", "-3"
	env := environment{"JUNCTOR_PASSWORD": second}
	user := func(name, id, done string) outcome {
		return outcome{stdout: "account  ACCOUNT\nuser     " + name + "\n" + id + "done     " + done + "\n"}
	}
	tasks := []task{
		{"user create ACCOUNT jane --password-stdin", first, nil, user("jane", "its id   X\n", "created")},
		{"user create ACCOUNT John --level user --json", "", env,
			outcome{stdout: `{"account_id":"ACCOUNT","username":"John","user_id":"X","done":"created","enabled":true}` + "\n"}},
		{"user create ACCOUNT JOHN", "", env, fails(`another user of the account has the name "JOHN"`)},
		{"user passwd ACCOUNT boss --password-stdin", second + "\r\n", environment{"JUNCTOR_PASSWORD": first},
			user("boss", "", "password changed")},
		{"user passwd ACCOUNT JANE --password " + third, "", env, user("JANE", "", "password changed")},
		{"user disable ACCOUNT john --json", "", nil,
			outcome{stdout: `{"account_id":"ACCOUNT","username":"john","done":"disabled","enabled":false}` + "\n"}},
		{"user disable ACCOUNT john", "", nil, user("john", "", "disabled")},
		{"user passwd ACCOUNT john", "", env, user("john", "",
			`password changed; the user is still disabled, "junctor user enable" changes that`)},
		{"user passwd ACCOUNT john --json", "", env,
			outcome{stdout: `{"account_id":"ACCOUNT","username":"john","done":"password changed","enabled":false}` + "\n"}},
		{"user disable ACCOUNT boss", "", nil, user("boss", "", "disabled")},
		{"user enable ACCOUNT BOSS", "", nil, user("BOSS", "", "enabled")},
		{"user enable ACCOUNT nobody", "", nil, fails(`the account has no user "nobody"`)},
		{"user passwd ACCOUNT nobody", "", env, fails(`the account has no user "nobody"`)},
		{"user passwd 0123 jane", "", env, fails(`there is no account "0123"`)},
		{"user create ACCOUNT a:b", "", env, misuses("user create: a user's name has no spaces and no colons")},
		{"user create ACCOUNT x", "", nil,
			misuses("user create: it needs a password: --password-stdin, JUNCTOR_PASSWORD, JUNCTOR_PASSWORD_FILE or --password")},
		{"user passwd ACCOUNT jane", "", nil,
			misuses("user passwd: it needs a password: --password-stdin, JUNCTOR_PASSWORD, JUNCTOR_PASSWORD_FILE or --password")},
		{"user delete ACCOUNT jane", "", nil,
			misuses(`user: unknown command "delete"; "junctor user --help" lists the commands`)},
		{"user create ACCOUNT", "", nil,
			misuses("user create: an operand is missing; usage: junctor user create ACCOUNT USERNAME [flags]")},
		{"account create Two --user admin", "", nil,
			misuses("account create: the user needs a password: --password-stdin, JUNCTOR_PASSWORD, JUNCTOR_PASSWORD_FILE or --password")},
		{"account create Two", "", env, misuses("account create: there is a password, but no --user")},
		{"account create Two --user a:b", "", env, misuses("account create: a user's name has no spaces and no colons")},
		{"account create Two --realm two.example.com", second,
			environment{"JUNCTOR_USER": "admin", "JUNCTOR_PASSWORD": third},
			outcome{stdout: "account      X\nits API key  X\nrealm        two.example.com\nits user     X\n"}},
	}
	logins := []struct {
		account, username, password string
		status                      int
	}{
		{"One", "boss", first, 401}, {"One", "boss", second, 201}, {"One", "jane", first, 401},
		{"One", "jane", third, 201}, {"One", "john", second, 401}, {"Two", "admin", third, 201},
	}
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			ok(t, place.args("bootstrap")...)
			var one account.Created
			o := tell(t, nil, first+"\n", place.args("account create One --user Boss --password-stdin --json")...)
			decode(t, o.stdout, &one)
			if len(one.UserID) != 32 || o.code != 0 {
				t.Fatalf("%+v", o)
			}
			place.does(t, tasks, volatile, "ACCOUNT", one.ID)
			s := place.serve(t)
			for _, login := range logins {
				if status, _ := s.logInUser(login.account, login.username, login.password); status != login.status {
					t.Errorf("%+v: %d", login, status)
				}
			}
		})
	}
}

// TestTokensEnd: a new password ends the tokens of the user, and so does it to be disabled.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := start(t, "--store", home)
	env := environment{"JUNCTOR_STORE": home, "JUNCTOR_PASSWORD": "one"}
	var made account.Created
	decode(t, call(t, env, "account", "create", "A", "--user", "jane", "--json").stdout, &made)
	env["JUNCTOR_PASSWORD"] = "two"
	password := "one"
	for _, verb := range []string{"passwd", "disable"} {
		_, token := s.logInUser("A", "jane", password)
		use := func() int {
			status, _ := s.request("GET", "/v2/accounts/"+made.ID+"/ips", token, "")
			return status
		}
		if status := use(); status != http.StatusOK {
			t.Errorf("before %s: %d", verb, status)
		}
		if o := call(t, env, "user", verb, made.ID, "jane"); o.code != 0 {
			t.Fatalf("%s: %+v", verb, o)
		}
		testutil.Eventually(t, "the token to end", func() bool { return use() == http.StatusUnauthorized })
		password = "two"
	}
	if status, _ := s.logInUser("A", "jane", password); status != http.StatusUnauthorized {
		t.Errorf("a disabled user's login: %d", status)
	}
}

// TestKazooLives: in a Kazoo's store nobody is created or changed, through a server or without. Other clusters are
// our own affair.
func TestKazooLives(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, place := range map[string]*place{
		"served": {dsn: home, server: start(t, "--store", home)}, "not served": {dsn: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			admin := bootstrapped(t, place.args("")...)
			served := place.server != nil
			s := place.open(t)
			_, err := s.Update(t.Context(), "system_config", "accounts", func(doc document.Document) error {
				doc["pvt_node"] = "kazoo_apps@kazoo.example.com"
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			if served {
				place.serve(t)
			}
			for _, args := range []string{
				"account create A --user jane", "user create ID jane", "user passwd ID jane", "user disable ID jane",
				"user enable ID jane",
			} {
				args = strings.ReplaceAll(args, "ID", admin.AccountID)
				o := call(t, environment{"JUNCTOR_PASSWORD": "x"}, place.args(args)...)
				if o.code != 1 || o.stdout != "" || o.stderr != "junctor: "+account.ErrManagedByKazoo.Message+"\n" {
					t.Errorf("%s: %+v", args, o)
				}
			}
			ok(t, place.args("cluster add "+otherCluster+" https://192.0.2.1:8000/v2")...)
		})
	}
}

// TestNoTokens: with --issue-tokens=false nobody can log in, and tokens are good all the same.
func TestNoTokens(t *testing.T) {
	t.Parallel()
	place := &place{dsn: t.TempDir()}
	s := place.serve(t)
	admin := readAdmin(t, place.dsn)
	token := s.login(admin.APIKey)
	s.stop()
	s = start(t, "--store", place.dsn, "--issue-tokens=false")
	for _, path := range []string{"/v2/api_auth", "/v2/user_auth"} {
		body := `{"data":{"api_key":"` + admin.APIKey + `"}}`
		if status, envelope := s.request("PUT", path, "", body); status < 400 || envelope["auth_token"] != nil {
			t.Errorf("%s: %d %v", path, status, envelope)
		}
	}
	if status, _ := s.request("GET", "/v2/ips", token, ""); status != http.StatusOK {
		t.Errorf("a token: %d", status)
	}
}
